#ifndef RIBCAGE_CALICO_NATURAL_H
#define RIBCAGE_CALICO_NATURAL_H

/* Names in the order people count them: kube-2 before kube-10. A total order: names that differ
 * only in leading zeros fall back to strcmp. <0, 0, >0. */
int natural_compare(const char *a, const char *b);

#endif
