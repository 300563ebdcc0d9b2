// SPDX-License-Identifier: MIT OR Apache-2.0
// Callbacks of a C++ program that throw: the exception passes through nflog_handle_packet, through
// requests, and through what libnfnetlink calls, to whoever called them. The handle goes on.
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <libnetfilter_log/libnetfilter_log.h>

#define CHECK(condition) check((condition), __LINE__, #condition)

namespace {

int passed, failed;

void check(bool holds, int line, const char *what)
{
	if (holds) {
		passed++;
		return;
	}
	failed++;
	std::printf("nflog_exceptions.cpp:%d: not so: %s\n", line, what);
}

// Says so when an exception leaves its block: each level of the stack is unwound.
struct Guard {
	int &count;
	~Guard() { count++; }
};

struct Seen {
	struct nflog_handle *h = nullptr;
	int calls = 0;
	int throw_at = 0; // which call throws; 0: none
	bool asks = false;
	int unwound = 0;
};

int see(struct nflog_g_handle *, struct nfgenmsg *, struct nflog_data *, void *data)
{
	auto *seen = static_cast<Seen *>(data);
	Guard guard{ seen->unwound };

	if (seen->asks)
		CHECK(nflog_bind_pf(seen->h, 11) == -1 && errno == EINVAL);
	if (++seen->calls == seen->throw_at)
		throw std::runtime_error("thrown by a callback");
	return 0;
}

// Runs `f` and says whether it threw what the callbacks throw.
template <typename F> bool throws(F f)
{
	try {
		f();
	} catch (const std::runtime_error &error) {
		return std::strcmp(error.what(), "thrown by a callback") == 0;
	}
	return false;
}

void log_packet()
{
	struct sockaddr_in to = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_family = AF_INET;
	to.sin_port = htons(1001);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(sendto(fd, "", 1, 0, reinterpret_cast<struct sockaddr *>(&to), sizeof(to)) == 1);
	close(fd);
}

int receive(struct nflog_handle *h)
{
	static char buffer[65536];
	ssize_t size = recv(nflog_fd(h), buffer, sizeof(buffer), MSG_DONTWAIT);

	return size == -1 ? -2 : nflog_handle_packet(h, buffer, static_cast<int>(size));
}

void test(bool asks)
{
	Seen seen;
	struct nflog_g_handle *gh;

	seen.h = nflog_open();
	seen.asks = asks;
	gh = nflog_bind_group(seen.h, 1);
	CHECK(nflog_set_qthresh(gh, 1) == 0);
	CHECK(nflog_callback_register(gh, see, &seen) == 0);
	for (int round = 0; round < 3; round++) {
		seen.throw_at = seen.calls + 1;
		log_packet();
		CHECK(throws([&] { receive(seen.h); }));
		seen.throw_at = seen.calls + 1;
		log_packet();
		CHECK(throws([&] { nflog_set_timeout(gh, 10); }));
		seen.throw_at = seen.calls + 1;
		log_packet();
		CHECK(throws([&] { nflog_bind_group(seen.h, static_cast<uint16_t>(2 + round)); }));
		CHECK(nflog_bind_group(seen.h, static_cast<uint16_t>(2 + round)) != nullptr);
		CHECK(seen.unwound == seen.calls);
		CHECK(nflog_bind_pf(seen.h, 11) == -1 && errno == EINVAL);
		log_packet();
		CHECK(receive(seen.h) == 0);
	}
	CHECK(seen.calls == 12);
	CHECK(nflog_close(seen.h) == 0);
}

void write_file(const char *path, const std::string &text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
	close(fd);
}

// Goes into a network namespace with a rule, in a user namespace as its root if that is what it takes.
bool own_namespace()
{
	const auto user = "0 " + std::to_string(getuid()) + " 1";
	struct ifreq lo = {};
	int fd;

	if (unshare(CLONE_NEWNET) == -1) {
		if (unshare(CLONE_NEWUSER) == -1)
			return false;
		write_file("/proc/self/uid_map", user);
		if (unshare(CLONE_NEWNET) == -1)
			return false;
	}
	std::strcpy(lo.ifr_name, "lo");
	lo.ifr_flags = IFF_UP;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return std::system("nft 'add table inet t;"
			   " add chain inet t c { type filter hook output priority 0; };"
			   " add rule inet t c udp dport 1001 log group 1' 2>/dev/null") == 0;
}

} // namespace

int main()
{
	if (own_namespace()) {
		test(false);
		test(true);
	} else {
		std::puts("SKIP: no network namespace with rules (root, and the program nft)");
	}
	std::printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
