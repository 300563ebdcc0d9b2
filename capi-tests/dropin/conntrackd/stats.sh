part_stats() { :; }
