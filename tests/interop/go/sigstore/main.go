// Sigstore verifies bundles with sigstore-go, as a program made with it would.
//
//	sigstore key BUNDLE ROOT ARTIFACT KEY                  a bundle whose signer is a key; KEY: a PEM file
//	sigstore identity BUNDLE ROOT ARTIFACT IDENTITY ISSUER a bundle whose signer has a certificate
//
// ARTIFACT is a file or sha256:HEX. Exit code 1 means that the library refused what was read, 3 that something else
// went wrong.
package main

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"time"

	"example.com/tiletree/interop/refusal"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) == 5 && arguments[0] == "key":
		err = byKey(arguments[1], arguments[2], arguments[3], arguments[4])
	case len(arguments) == 6 && arguments[0] == "identity":
		err = byIdentity(arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
	default:
		err = errors.New("usage: sigstore key | identity")
	}
	refusal.Exit(err)
}

func byKey(bundlePath, rootPath, artifact, keyPath string) error {
	trusted, err := readRoot(rootPath)
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(keyPath)
	if err != nil {
		return err
	}
	key, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return err
	}
	verifier, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		return err
	}
	keys := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	})
	material := root.TrustedMaterialCollection{trusted, keys}
	// a key has no end that a timestamp would have to lie before
	options := []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithNoObserverTimestamps()}
	return check(bundlePath, artifact, material, options, verify.WithKey())
}

func byIdentity(bundlePath, rootPath, artifact, identity, issuer string) error {
	trusted, err := readRoot(rootPath)
	if err != nil {
		return err
	}
	wanted, err := verify.NewShortCertificateIdentity(issuer, "", identity, "")
	if err != nil {
		return err
	}
	options := []verify.VerifierOption{
		verify.WithTransparencyLog(1), verify.WithSignedTimestamps(1), verify.WithSignedCertificateTimestamps(1),
	}
	return check(bundlePath, artifact, trusted, options, verify.WithCertificateIdentity(wanted))
}

func readRoot(path string) (*root.TrustedRoot, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	trusted, err := root.NewTrustedRootFromJSON(data)
	return trusted, refusal.By("trusted root", err)
}

func check(
	path, artifact string, material root.TrustedMaterial, options []verify.VerifierOption, by verify.PolicyOption,
) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var found bundle.Bundle
	if err := found.UnmarshalJSON(data); err != nil {
		return refusal.By("bundle", err)
	}
	verifier, err := verify.NewVerifier(material, options...)
	if err != nil {
		return err
	}
	of, err := artifactOption(artifact)
	if err != nil {
		return err
	}
	_, err = verifier.Verify(&found, verify.NewPolicy(of, by))
	return refusal.By("bundle", err)
}

func artifactOption(artifact string) (verify.ArtifactPolicyOption, error) {
	if text, isDigest := strings.CutPrefix(artifact, "sha256:"); isDigest {
		digest, err := hex.DecodeString(text)
		return verify.WithArtifactDigest("sha256", digest), err
	}
	file, err := os.Open(artifact) // closed as the program ends
	return verify.WithArtifact(file), err
}
