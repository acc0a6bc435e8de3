/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent.h"

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/igmp.h>
#include <string.h>

/* Offsets behind the Ethernet header: ARP for IPv4 (RFC 826), IPv4, IPv6 (RFC 8200). */
#define ARP_LENGTH     28
#define ARP_SENDER_IP  14
#define ARP_TARGET_IP  24
#define IPV4_LENGTH    20
#define IPV4_PROTO     9
#define IPV6_LENGTH    40
#define IPV6_NEXT      6
#define HOPOPTS_LENGTH 8 /* with MLD's router alert in it (RFC 3810, 5) */
#define NA_TYPE	       136 /* RFC 4861, 4.4 */
#define NA_FLAGS       4
#define NA_SOLICITED   0x40
#define NA_LENGTH      24

/* RFC 5227, 2.3: the sender's address is the target's. A probe has no sender. */
static bool is_gratuitous_arp(const uint8_t *data, size_t length)
{
	static const uint8_t nobody[4];
	const uint8_t *sender = data + ARP_SENDER_IP;

	return length >= ARP_LENGTH && memcmp(sender, nobody, sizeof(nobody)) &&
	       !memcmp(sender, data + ARP_TARGET_IP, sizeof(nobody));
}

/* RFC 2236, 3376 */
static bool is_igmp_report(const uint8_t *data, size_t length)
{
	size_t at = length < IPV4_LENGTH ? 0 : (data[0] & 0xf) * 4u;

	return at >= IPV4_LENGTH && at < length && data[IPV4_PROTO] == IPPROTO_IGMP &&
	       (data[at] == IGMP_HOST_MEMBERSHIP_REPORT ||
		       data[at] == IGMPV2_HOST_MEMBERSHIP_REPORT ||
		       data[at] == IGMPV3_HOST_MEMBERSHIP_REPORT);
}

static bool is_unsolicited_na(const uint8_t *data, size_t length)
{
	return length >= IPV6_LENGTH + NA_LENGTH && data[IPV6_NEXT] == IPPROTO_ICMPV6 &&
	       data[IPV6_LENGTH] == NA_TYPE && !(data[IPV6_LENGTH + NA_FLAGS] & NA_SOLICITED);
}

/* RFC 2710, 3810 */
static bool is_mld_report(const uint8_t *data, size_t length)
{
	const uint8_t *type = data + IPV6_LENGTH + HOPOPTS_LENGTH;

	return length > IPV6_LENGTH + HOPOPTS_LENGTH && data[IPV6_NEXT] == IPPROTO_HOPOPTS &&
	       data[IPV6_LENGTH] == IPPROTO_ICMPV6 &&
	       (*type == ICMPV6_MGM_REPORT || *type == ICMPV6_MLD2_REPORT);
}

enum lab_announcement lab_announcement(uint16_t protocol, const uint8_t *data, size_t length)
{
	if (protocol == ETH_P_ARP && is_gratuitous_arp(data, length))
		return LAB_GRATUITOUS_ARP;
	if (protocol == ETH_P_IP && is_igmp_report(data, length))
		return LAB_GROUP_REPORT;
	if (protocol == ETH_P_IPV6 && is_unsolicited_na(data, length))
		return LAB_UNSOLICITED_NA;
	if (protocol == ETH_P_IPV6 && is_mld_report(data, length))
		return LAB_GROUP_REPORT;
	return LAB_NO_ANNOUNCEMENT;
}
