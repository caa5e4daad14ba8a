import "b.dsl"
fact a { target: cpu }
