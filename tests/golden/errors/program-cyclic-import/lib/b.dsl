import "c.dsl"
