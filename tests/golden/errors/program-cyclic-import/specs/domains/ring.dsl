domain ring { }
use other
