/* states.h: states of the heap and of the locks that an engine should see as it sees edges, so that
 * an input which brings about a new one is kept although its code is known.
 *
 * A state is a number below STATES; reaching it is one edge of states.c, which is therefore
 * compiled for exploration as the core is. So every engine takes it for coverage, with its counts.
 */
#ifndef CP_STATES_H
#define CP_STATES_H

enum {
    STATE_BINS = 0, /* of two arenas: free chunks by fast chunks, 4 bits each */
    STATE_TOP = STATE_BINS + 128, /* of two arenas: size class of top, anything dirty */
    STATE_PROCESS = STATE_TOP + 64, /* arenas, heaps of the first, mappings */
    STATE_LARGE = STATE_PROCESS + 64, /* of two arenas: marked large bins, unsorted or not */
    STATE_LOCKS = STATE_LARGE + 32, /* a kind of lock taken while another is held */
    STATE_WAITS = STATE_LOCKS + 64, /* the same when another thread has it */
    STATES = 512
};

void state_reached(unsigned state);

#endif
