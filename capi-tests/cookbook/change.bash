# SPDX-License-Identifier: MIT OR Apache-2.0
# docs/cookbook/change.md: what changes the table.

prepare() {
	kernel -F
	flow 1 22
	flow 2 22 --src-nat 10.0.0.5:4000
	kernel -I -p tcp -s 10.0.0.5 -d 10.0.0.2 --sport 3 --dport 80 --state ESTABLISHED -t 600 -m 0x500 >"$work/log"
	kernel -I -p udp -s 10.0.0.9 -d 10.0.0.5 --sport 4 --dport 80 -t 600 >"$work/log"
}

each kill 'any host 10.0.0.5' -- 10.0.0.5
agree 'kill' '3 deleted, 0 gone before'
leave 'kill' 1 'sport=1 dport=22 '

each mark 'tcp and dport 22' 33 255 -- 22 33 255
agree 'mark' '2 marked'
leave 'mark' 4 'sport=2 dport=22 .* mark=33'
each mark 'tcp and dport 80' 33 255 -- 80 33 255
agree 'mark, under a mask' '1 marked'
leave 'mark, under a mask' 4 'sport=3 dport=80 .* mark=1313'

save() {
	prepare
	table | tee "$work/before.c" "$work/before.rust" >"$work/before.shell"
	c list-json >"$work/saved.c" && rust list-json >"$work/saved.rust" && shell save >"$work/saved.shell"
}
check 'all save' unresized save

# restored LANGUAGE: what has been saved is all there is.
restored() {
	kernel -F
	case $1 in
	c) c batch-load <"$work/saved.c" ;;
	rust) rust restore <"$work/saved.rust" ;;
	shell) shell restore "$work/saved.shell" ;;
	esac || return
	table >"$work/$1.table"
}
for language in $languages; do
	check "$language restores" unresized restored "$language"
done
sed -i 's/mark=1280/mark=0/' "$work/before.shell" # conntrack saves no marks
for language in $languages; do
	check "$language: all is as it was" diff "$work/before.$language" "$work/$language.table"
done

filled() {
	kernel -F
	case $1 in
	c) c batch-load 1200 ;;
	rust) rust load 1200 ;;
	shell) shell fill 1200 ;;
	esac && counts 1200 kernel -L -p udp -d 10.2.0.1 --dport 53
}
for language in $languages; do
	check "$language fills the table" unresized filled "$language"
done

nfct_says() {
	nfct get timeout web | tr -s ' \n' ' '
}
for language in $languages; do
	case $language in
	c) c timeout web 6 established 600 ;;
	rust) rust timeouts web 600 ;;
	shell) shell timeout web 600 ;;
	esac >"$work/log" 2>&1
	nfct_says >"$work/$language"
	nfct delete timeout web
done
agree 'timeouts' '.*\bESTABLISHED = 600,.*'
c timeout web 6 established 600
check 'timeouts: a rule uses the policy' iptables -t raw -A OUTPUT -p tcp --dport 443 -j CT --timeout web
check 'timeouts: the rule is there' says 'used by 1 rules$' c timeout
iptables -t raw -F

# A client of FTP tells the server where to connect to.
kernel -F
ip link set lo up
nft 'add table ip ftp; add ct helper ip ftp ftp { type "ftp" protocol tcp; };
	add chain ip ftp out { type filter hook output priority 0; }; add rule ip ftp out tcp dport 21 ct helper set "ftp"'
python3 - >"$work/client" <<-'END' &
	import socket, time
	server = socket.create_server(("127.0.0.1", 21))
	client = socket.create_connection(("127.0.0.1", 21), source_address=("127.0.0.1", 1000))
	there = server.accept()[0]
	for line in b"USER me\r\n", b"PORT 127,0,0,1,7,229\r\n": # each in a packet, as the helper reads them
	    client.sendall(line)
	    there.recv(100)
	print("told", flush=True)
	time.sleep(60)
END
client=$!
check 'expectations: a client of FTP' written 1 client
prepare() { :; }
each expectations
kill "$client"
wait "$client" 2>"$work/log"
sed -i -E 's/^ftp expects protocol 6 from (.*) to (.*) port (.*),.*/\1 \2 \3/' "$work/c"
sed -i -E 's/^tcp (.*):.* -> (.*):(.*), expected by ftp.*/\1 \2 \3/' "$work/rust"
sed -i -E 's/^[0-9]+ proto=6 src=(.*) dst=(.*) sport=0 dport=([0-9]*) mask-src.* helper=ftp.*/\1 \2 \3/' "$work/shell"
agree 'expectations' '127\.0\.0\.1 127\.0\.0\.1 2021'
