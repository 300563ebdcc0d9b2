/* libnetfilter_log: the packets that rules of the firewall log (NFLOG, nft "log group"),
 * received over netlink.
 *
 * A program opens a handle, binds a group by its number, registers a callback for it, says what
 * of each packet it wants, and hands each datagram that it receives from nflog_fd() to
 * nflog_handle_packet().
 *
 * These rules hold for all functions. What a function adds is said with it.
 *
 * NULL. No function crashes for NULL: where it needs an object it does nothing, sets errno to
 * EINVAL and returns its error value. What points to anything else than the function says is not
 * checked.
 *
 * Ownership. Handles and groups are the caller's, to be released with the function named there;
 * closing a handle releases its groups. What getters return points into the buffer that the
 * packet came in, and is not to be freed.
 *
 * errno. It is set by failure, as each function says, and left alone by success. EFAULT is a
 * defect of the library itself.
 *
 * Byte order. What functions return or store is in host byte order; the members of structures
 * that the kernel fills are in network byte order.
 *
 * Threads. A handle, with its groups, is used by one thread at a time; different ones by
 * different threads without any lock.
 *
 * Callbacks. They may call any function, on their own handle and group too, and may end their
 * call by an exception of C++ or by longjmp().
 *
 * Privileges. Whatever configures the kernel needs CAP_NET_ADMIN in the user namespace that owns
 * the network namespace; receiving does not. */

#include <stdint.h>
#include <sys/types.h>
#include <linux/netlink.h>
#include "linux_nfnetlink_log.h"

/* Named in prototypes only: of libnfnetlink, and of the C library. */
struct nfnl_handle;
struct timeval;

/* On machines of 32 bits glibc has two: times of 64 bits are what -D_TIME_BITS=64 asks for. */
#if defined(__USE_TIME_BITS64) && __SIZEOF_LONG__ == 4
#define nflog_get_timestamp nflog_get_timestamp_time64
#endif
