module openscf/agent

go 1.19
