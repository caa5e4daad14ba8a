"""How an action is done, or seen to be done: keys compared, workers forked, outputs kept, events told. Knows no command."""
