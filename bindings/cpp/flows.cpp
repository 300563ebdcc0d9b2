// SPDX-License-Identifier: MIT OR Apache-2.0
// The flow table, with C++11: flows list | watch [COUNT] | delete EXPRESSION
#include <ctrs.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

struct Free {
	void operator()(nfct_handle *h) const { nfct_close(h); }
	void operator()(struct ctrs_dump *dump) const { ctrs_dump_end(dump); }
	void operator()(ctrs_filter *filter) const { ctrs_filter_free(filter); }
};
template <class T> using Owned = std::unique_ptr<T, Free>;

struct Failure : ctrs_error {
	Failure() : ctrs_error() { size = sizeof(ctrs_error); }
};

static void check(bool good, const ctrs_error &error)
{
	if (!good)
		throw std::runtime_error(error.text);
}

static Owned<nfct_handle> open(uint32_t groups)
{
	ctrs_open_options options = ctrs_open_options();
	options.size = sizeof(options);
	options.groups = groups;
	Failure error;
	Owned<nfct_handle> h(ctrs_open(&options, &error));
	check(h != nullptr, error);
	return h;
}

static void list()
{
	auto h = open(0);
	Owned<struct ctrs_dump> dump(ctrs_dump_begin(h.get(), nullptr, 0));
	check(dump != nullptr, *ctrs_last_error(h.get()));
	std::vector<ctrs_flow> flows(1000);
	std::map<unsigned, unsigned> ports;
	ssize_t got, total = 0;
	while ((got = ctrs_dump_read(dump.get(), flows.data(), flows.size(), sizeof(ctrs_flow))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			ports[flows[i].orig.dport]++;
		total += got;
	}
	check(got == 0, *ctrs_dump_last_error(dump.get()));
	if (ctrs_dump_end(dump.release()) == CTRS_INCONSISTENT)
		std::cerr << "flows may be missing, or be there twice: list them again\n";
	std::cout << total << " flows\n";
	for (auto &port : ports)
		std::cout << "port " << port.first << ' ' << port.second << '\n';
}

struct Watcher {
	int left;
	std::exception_ptr thrown;
};

static int on_event(nf_conntrack_msg_type type, nf_conntrack *ct, void *data)
{
	auto &watcher = *static_cast<Watcher *>(data);
	try { // what leaves a callback is to be a verdict
		std::vector<char> line(16384);
		ctrs_snprintf_json(line.data(), line.size(), ct, type, 0, nullptr);
		std::cout << line.data() << std::endl;
		return --watcher.left == 0 ? NFCT_CB_STOP : NFCT_CB_CONTINUE;
	} catch (...) {
		watcher.thrown = std::current_exception();
		return NFCT_CB_FAILURE;
	}
}

static nfct_handle *listening;

static void on_interrupt(int)
{
	ctrs_wake(listening); // a handler may
}

static void watch(int count)
{
	Watcher watcher = { count, nullptr }; // lives longer than the handle
	auto h = open(CTRS_GROUP_ALL);
	nfct_callback_register(h.get(), NFCT_T_ALL, on_event, &watcher);
	listening = h.get();
	std::signal(SIGINT, on_interrupt);
	int result = nfct_catch(h.get()), error = errno;
	std::signal(SIGINT, SIG_DFL);
	if (watcher.thrown)
		std::rethrow_exception(watcher.thrown);
	if (result == -1 && error != EINTR && error != ECANCELED)
		throw std::system_error(error, std::generic_category(), "cannot receive");
}

static void erase(const char *expression)
{
	Failure error;
	Owned<ctrs_filter> which(ctrs_filter_compile(expression, nullptr, &error));
	check(which != nullptr, error);
	auto h = open(0);
	ctrs_deleted done;
	int result = ctrs_delete_matching(h.get(), which.get(), 0, &done, sizeof(done));
	check(result == 0, *ctrs_last_error(h.get()));
	std::cout << done.matched << " matched, " << done.deleted << " deleted\n";
}

int main(int argc, char *argv[])
try {
	std::string command = argc > 1 ? argv[1] : "";
	if (command == "list")
		list();
	else if (command == "watch")
		watch(argc > 2 ? std::atoi(argv[2]) : 0);
	else if (command == "delete" && argc > 2)
		erase(argv[2]);
	else
		throw std::runtime_error("usage: flows list | watch [COUNT] | delete EXPRESSION");
	return EXIT_SUCCESS;
} catch (const std::exception &exception) {
	std::cerr << exception.what() << '\n';
	return EXIT_FAILURE;
}
