module example.com/tiletree/interop/refusal

go 1.25.0
