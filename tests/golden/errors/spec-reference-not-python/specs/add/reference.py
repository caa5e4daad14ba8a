import numpy

def f(x, y) -> :
    return x
