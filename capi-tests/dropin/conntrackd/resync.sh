part_resync() { :; }
