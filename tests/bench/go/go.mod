module example.com/tiletree/bench

go 1.25.0
