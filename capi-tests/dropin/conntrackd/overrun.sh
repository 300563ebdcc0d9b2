part_overrun() { :; }
