# The columns are the names of ulogd's values, with _ for the dots; it has no way to write some others.
CREATE TABLE packets (
	raw_pktlen, raw_pktcount, oob_prefix, oob_time_sec, oob_time_usec, oob_mark, oob_hook,
	oob_seq_local, oob_family, oob_protocol, oob_in, oob_out, raw_type, ip_saddr_str, ip_daddr_str,
	ip_protocol, ip_ttl, ip_totlen, ip_id, ip6_payloadlen, ip6_nexthdr, udp_sport, udp_dport,
	icmp_type, icmp_code, icmpv6_type, ahesp_spi, mac_str, mac_saddr_str
)
