"""What `tiletree` can do: `tiletree NAME` is the command in the module NAME.

A module declares its options, calls the library and words the outcome; it computes nothing that a program would want.
`import` is in `import_`, as Python keeps that word for itself, and `key` has the commands below `tiletree key`.
`submit_report` is what `submit` says, `index_report` what `index check` finds.

A command parses with `tiletree.options`, opens what those name with `tiletree.opening`, reads its input with
`tiletree.inputs`, and prints through `tiletree.ui.Output` alone. `tiletree.cli` lists the commands, and turns errors
into exit codes.
"""
