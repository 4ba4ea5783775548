module example.com/tiletree/interop/sumdb

go 1.25.0

require (
	example.com/tiletree/interop/refusal v0.0.0
	golang.org/x/mod v0.36.0
)

replace example.com/tiletree/interop/refusal => ../refusal
