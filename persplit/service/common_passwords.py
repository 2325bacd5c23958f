"""The passwords that everybody tries first, as far as they are long enough to be allowed otherwise."""

from typing import Final

COMMON_PASSWORDS: Final = frozenset(
    """
    00000000 000000000 0000000000 01234567 0123456789 11111111 111111111 1111111111 11223344 1122334455
    12121212 12341234 123123123 12344321 12345678 123456789 1234567890 12345678910 1234567a 123456789a
    123456abc 1234abcd 123654789 123qwe123 1234qwer 135792468 147258369 1q2w3e4r 1q2w3e4r5t 1qaz2wsx
    1qaz2wsx3edc 22222222 31415926 55555555 66666666 77777777 789456123 87654321 88888888 963852741
    987654321 9876543210 99999999 999999999 a1234567 a12345678 a1b2c3d4 aa123456 aaaaaaaa abc12345
    abc123456 abcd1234 abcdefgh abcdefghi access14 admin123 admin1234 administrator arsenal1 asdf1234
    asdfasdf asdfghjk asdfghjkl baseball baseball1 basketball bismillah bollywood changeme charlie1
    chocolate computer corvette danielle dragon123 facebook football football1 ganesh123 garfield google123
    hanuman1 hanuman123 iloveyou iloveyou1 iloveyou2 india123 india1234 india@123 internet jaishriram
    jennifer jaimatadi krishna1 krishna123 lakshmi123 letmein1 letmein123 liverpool liverpool1 maggie123
    mahadev123 manchester master123 michelle michael1 monkey123 mustang1 omnamahshivaya pa$$w0rd p@ssw0rd
    p@ssword p@ssword1 passw0rd passw0rd1 password password! password1 password12 password123 password1234
    password@123 pokemon1 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qwe123456 qwer1234 qwerasdf
    qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop radhakrishna rajesh123 saibaba1 samsung1 samsung123
    shadow123 shivshakti sunshine sunshine1 superman superman1 swordfish test1234 testtest trustno1
    victoria waheguru welcome1 welcome123 welcome@123 whatever william1 wordpass zaq12wsx zxcvbnm1 zxcvbnm123
    """.split()
)
"""In lower case; compared without regard to case."""
