module openscf/go

go 1.19
