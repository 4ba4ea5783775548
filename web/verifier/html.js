// Web pages in the place of something else: what a host, or a network that wants one to log in, answers to every address.

/** Return whether bytes begin as a web page does. */
export const isPage = (bytes) => /^\s*<(!doctype|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 100)));
