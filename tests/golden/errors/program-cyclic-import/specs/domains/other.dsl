use ring
domain other { }
