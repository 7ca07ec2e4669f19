module openscf/launcher

go 1.19
