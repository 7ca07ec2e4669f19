module hello

go 1.19

require openscf/go v0.0.0

replace openscf/go => ../../../libs/runtimes/go
