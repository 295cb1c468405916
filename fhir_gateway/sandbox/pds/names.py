"""Names people in Britain have, for the invented population."""

from __future__ import annotations

WOMEN = (
    "Abigail Aaliyah Amelia Amina Angela Anne Beatrice Bethan Carol Catherine Charlotte Dorothy "
    "Ebony Eilidh Eleanor Elizabeth Emily Fatima Fiona Freya Georgia Gloria Grace Harpreet Helen "
    "Ifeoma Imogen Ioana Isla Jacqueline Janet Jasmine Jennifer Joy Julie Karen Khadija Latoya "
    "Lauren Linda Lowri Magdalena Margaret Mary Mei Molly Nadia Nicola Olivia Patricia Pauline "
    "Rachel Rosalind Ruth Samantha Saoirse Shanice Sheila Siân Sophie Sunita Susan Tracey Valerie "
    "Wendy Yasmin Zainab Zoë"
).split()
MEN = (
    "Adam Ahmed Alan Alexander Andrei Anthony Arjun Barry Benjamin Callum Charles Chidi "
    "Christopher Colin Connor Darren Declan Dylan Edward Emmanuel Euan Francis Frederick Gavin "
    "Geoffrey Gurpreet Harry Hassan Hywel Ian Ibrahim Isaac Jack Jamal James Jia John Joseph "
    "Joshua Keith Kenneth Kwame Leon Malcolm Mark Marek Matthew Michael Nathan Neil Nicholas "
    "Noah Patrick Paul Peter Rajesh Raymond Rhys Robert Ronald Samuel Sanjay Sean Simon Stephen "
    "Stuart Thomas Timothy Tobi Trevor Usman William Yusuf"
).split()
FAMILIES = (
    "Abbott Ahmed Akhtar Ali Allen Anderson Bailey Baker Banerjee Barnes Begum Bell Brown Butler "
    "Campbell Chan Chapman Chaudhry Clark Collins Cook Cooper Cox Davies Davis Dhillon Edwards "
    "Ellis Evans Fernandes Fisher Foster Gibson Gill Gordon Graham Grant Gray Green Griffiths Hall "
    "Hamilton Harris Harrison Harvey Hill Holmes Howard Hunt Ibrahim Jackson James Jenkins Johnson "
    "Jones Kaur Kelly Khan King Knight Kowalski Lee Lewis Lloyd MacDonald Marshall Martin Mason "
    "McKenzie Mensah Miah Mills Mitchell Moore Morgan Morris Murphy Murray Ncube Nguyen Nwosu "
    "O'Brien O'Neill Okafor Owen Palmer Patel Phillips Popescu Powell Price Reynolds Richards "
    "Roberts Robinson Rogers Russell Ryan Scott Shah Shaw Simpson Singh Smith Stevens Stewart "
    "Taylor Thomas Thompson Turner Walker Walsh Ward Watson Webb White Williams Wilson Wood Wright "
    "Wójcik Yeung Young Brown-Edwards Hill-Okoro Taylor-Khan"
).split()

#: How people are addressed, by gender and by whether they are grown up.
TITLES = {
    ("female", True): ("Mrs", "Ms", "Miss", "Dr"),
    ("male", True): ("Mr", "Mr", "Mr", "Dr"),
    ("female", False): ("Miss",),
    ("male", False): ("Master",),
}
