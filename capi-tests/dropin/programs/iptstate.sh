part_iptstate() {
    use iptstate
    lab states
    on states sysctl -qw net.netfilter.nf_conntrack_acct=1
    hold states tcp udp nat other
    run_ref states -1 -o > /tmp/sq/one; run_ref states -1 -C -t > /tmp/sq/two;
    screen_start ref states
    sleep 1; screen ref >/tmp/sq/scr1; keys ref x; sleep 0.5; screen ref >/tmp/sq/scr2;  keys ref y; sleep 1; screen ref >/tmp/sq/scr3; keys ref h; sleep 0.5; screen ref >/tmp/sq/scr4; keys ref q; sleep 0.3; keys ref q
    release
    use flowtop
    screen_start ref states -46UTDISs -n -G
    sleep 2; screen ref >/tmp/sq/ft1
    keys ref q
}
