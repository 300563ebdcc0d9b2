/* libnetfilter_conntrack: the kernel's flow table, read, changed and listened to over netlink.
 *
 * An entry is a flow that the kernel tracks. Its tuples say how packets of the original and of the
 * reply direction look; its other attributes are a mark, a timeout, a state, labels and the like.
 *
 * These rules hold for all functions. What a function adds is said with it.
 *
 * Live objects. An entry, expectation, handle, bitmask, label map or filter is live from when the
 * function that makes it returned it until the function that releases it is called, or whatever
 * takes it over destroys it; nfct_maxsize() or nfexp_maxsize() zero bytes, aligned for any type,
 * are a live entry or expectation too. One that a callback is handed is live until the callback
 * returns. A pointer to an object is NULL or that of a live one; a pointer to a value, a buffer or
 * a string is NULL or that of as many bytes as the function says. What else is passed is not
 * checked.
 *
 * NULL. No function crashes for NULL: where it needs an object it does nothing, sets errno to
 * EINVAL and returns its error value. Functions that destroy ignore NULL. Numbers out of range do
 * no harm.
 *
 * Ownership. What functions named new, create, clone and open return is the caller's, to be
 * released with the function named there. What is passed in is copied, but for label bitmasks,
 * which the entry takes over. What getters return stays the object's: it is not to be freed, nor
 * used after the attribute is set anew or the object destroyed.
 *
 * errno. It is set by failure, as each function says, and left alone by success; but nfct_query(),
 * nfct_catch() and their nfexp_ siblings leave 0 at the end of an answer. Functions without a
 * value tell of failure by errno alone, and so do those whose error value is a value too, such as
 * the getters (ENODATA: the attribute is not set): set errno to 0 before. EFAULT is a defect of
 * the library itself, where no function names it.
 *
 * Byte order. Addresses, ports and ids of ICMP are in network byte order, all else is in host byte
 * order; in event filters all is. Sizes are bytes.
 *
 * Threads. An object or a handle is used by one thread at a time; different ones by different
 * threads without any lock, for nothing is shared between them. Objects may be read (getters,
 * printing, comparison, copies of them) by several threads at once while none changes them, and
 * may be destroyed by another thread than the one that made them. A handle shared over fork() is
 * read by one of the two processes only.
 *
 * Callbacks. They may call any function, on their own handle too; a query inside a callback uses a
 * socket of its own in the handle's network namespace, so that nothing of the outer answer is
 * missed. A callback may end its call by NFCT_CB_STOP, by an exception of C++ or by longjmp(), a
 * handler of a signal by siglongjmp(). The object it was handed is then the handle's again with
 * the next call on the handle, which goes on as before; what is unread of a dump stays to be read
 * with nfct_catch(), or is passed over by the next dump. The data that a function is registered
 * with outlives the registering call: it is handed on until the function is unregistered or the
 * handle closed, so it must live that long and stay where it is. (In Go that is a cgo.Handle or
 * memory of C, never a pointer to a variable of Go; ctrs_dump_begin() of ctrs.h needs no callback.)
 *
 * Cancellation. A thread can be cancelled in nfct_query(), nfct_send(), nfct_catch(), their nfexp_
 * siblings, nfct_close() and nfct_labelmap_new(), while it waits or before. Its cleanup handlers
 * may use the handle or close it.
 *
 * Kernels. "Linux 4.3" is the first one that has what is said; without a number all have.
 * CAP_NET_ADMIN, in the user namespace that owns the network namespace, is needed for queries and
 * events. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <netinet/in.h>
#ifdef __has_include
#if __has_include(<libnfnetlink/libnfnetlink.h>)
#include <libnfnetlink/libnfnetlink.h>
#else
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#endif
#else
#include <libnfnetlink/libnfnetlink.h>
#endif
#include "linux_nfnetlink_conntrack.h"
#include "linux_nf_conntrack_common.h"
