import "a.dsl"
use ring
