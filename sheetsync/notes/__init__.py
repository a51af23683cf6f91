"""PURE: every text that a Sync note can show, and nothing else.

Owns the words; README.md beside this file lists them with what to do, and a test holds the two together. When a text
applies is decided where it is used: in the plan, the projection and the protocol. Words that TokPortal itself sends
come with the errors (`errors.py`).
"""

from collections.abc import Sequence

from sheetsync.model import Origin

LONGEST = 900
"""Characters of a note: it is read in a cell. Sheets itself would take 50,000."""

_PICK = "pick the date, or type it as 2026-04-03"

KEY_MISSING = "has a mark but no video id: fill in TokPortal's video id"
KEY_IS_A_NUMBER = "This is a number, like a TikTok post id. Put TokPortal's video id here, as text."
KEY_IS_A_LINK = "This is a link. Put TokPortal's video id here."
KEY_IMPOSSIBLE = "This cannot be a TokPortal video id (letters, digits and dashes)."
KEY_INVISIBLE = "This Video ID holds a character that nobody sees: type it anew, or paste it as plain text."


def key_shows(error: str) -> str:
    """A formula stands in the key's cell and comes to nothing, or is still being loaded."""
    return f"This Video ID shows {error} now: nothing is done for its row until it says which video that is."


def feedback_shows(error: str) -> str:
    """The same in the cell whose text a manager would read."""
    return f"Feedback shows {error} now: write why the code does not work."


NOTHING_TO_RENEW = "Nothing to renew: this video has no code yet. Mark request instead."
STILL_OPEN = (
    "A request is still open. This mark orders another code once it is delivered; clear Action if you do not want that."
)
SERVED = "This mark is done, but could not be cleared. Empty Action and let a run pass; a later mark is a new one."
FORMULA = "Action holds a formula: nothing is ordered for it. Type the mark itself."
NO_CODE_TO_CORRECT = "There is no code to correct."
FEEDBACK_EMPTY = "Feedback is empty: write there why the code does not work."


def _to_renew(price: int) -> str:
    return f"Mark renew to order another ({price} credits)."


def already_has_a_code(price: int) -> str:
    """A first code is asked for where there is one."""
    return f"Already has a code. {_to_renew(price)}"


def unknown_mark(marks: Sequence[str]) -> str:
    """The Action cell says something else."""
    return f"Action must be one of {', '.join(marks)}, or empty."


def code_has_changed(code: str) -> str:
    """The code is no longer the one the person tried."""
    return f"The code has changed to {code}: try that one first, clear Action."


def not_correctable(status: str) -> str:
    """TokPortal takes corrections in other statuses."""
    return f"A request in status '{status[:60]}' cannot be corrected."


def feedback_length(characters: int) -> str:
    """The feedback is too short or too long for TokPortal."""
    return f"Feedback has {characters} characters; 3 to 500 are needed."


def waits(reasons: Sequence[str]) -> str:
    """What has to be put right in the row before it may cost credits."""
    return f"Waits: {'; '.join(reasons)}."


def mend(header: str, shown: str) -> str:
    """A cell that shows an error, where what it says has to be known first."""
    return f"mend {header}, which shows {shown}"


def unmerge(headers: Sequence[str]) -> str:
    """Cells that lie under a merged one show nothing, whatever is written there."""
    return f"unmerge the cells that hide {', '.join(headers)}"


KEPT_OUT = "which a protected range keeps from it"


SMALL_LETTERS = "write the Video ID in small letters, as TokPortal does"


def let_edit(headers: Sequence[str]) -> str:
    """Cells that Google lets this account not write."""
    return f"let sheetsync edit {', '.join(headers)}, {KEPT_OUT}"


def let_put_back(headers: Sequence[str]) -> str:
    """Cells that a write hit by mistake, and that it may not put back."""
    return f"let sheetsync edit {', '.join(headers)}, where it has to put back what a write hit by mistake"


def unseen(hidden: Sequence[str], locked: Sequence[str], reason: str) -> str:
    """What the row cannot show; empty where there is nothing, or the reason of its hold says so."""
    ways = [unmerge(hidden)] if hidden and unmerge(hidden) not in reason else []
    ways += [let_edit(locked)] if locked and KEPT_OUT not in reason else []
    return f"To see all of this row, {'; '.join(ways)}." if ways else ""


def too_many_marked(limit: int, place: str = "") -> str:
    """The plan was refused for its number of orders; `place` is the cell in which a person may allow them."""
    return (
        f"Waits: more rows are marked than one run may order ({limit}). Clear the marks that are not meant, "
        f"or {f'allow them in {place}' if place else 'ask whoever runs sheetsync to allow them'}."
    )


MARKS_CHANGE = (
    "Waits for the next run: too many rows were marked, and marks are being taken away. What stays as it is until then "
    "is ordered."
)
REBUILT = "Waits: sheetsync had lost its memory, and whoever runs it has to confirm before anything is ordered."
BALANCE_UNKNOWN = "The credit balance could not be read, so nothing is ordered; the next run tries again."


def not_enough_credits(keep: int, price: int) -> str:
    """The balance, less the credits to keep, does not cover an order."""
    kept = f" beyond the {keep} that are kept" if keep else ""
    return f"Not enough credits: a code costs {price}{kept}. Top up at TokPortal."


NOT_REACHED = "Not reached in the time of this run; the next run goes on."
OLDER_ANSWER = "TokPortal's answer is older than what is known of this video; the next run asks again."
KEY_REFUSED = "TokPortal does not accept sheetsync's key: whoever runs sheetsync has to mend that."
RUN_STOPPED = "Not ordered in this run: something stopped it before; whoever runs sheetsync sees what."
NOT_FINISHED = "Not finished in this run: something stopped it; whoever runs sheetsync sees what."
NO_ANSWER = "TokPortal did not answer; the next run tries again."
UNHEARD = (
    "TokPortal's last answer about this video is more than a day old; what came since could not be read, or nothing "
    "came. If other rows go on, give TokPortal this Video ID."
)
LOOKING = "An order was sent and its answer was lost; sheetsync looks at TokPortal before anything else is ordered."
UNCLAIMED = "Google did not confirm a write into this row, so nothing was ordered; the next run tries again."
MOVED = "The row changed while this was about to be done; the next run looks again."
EARLIER_CODE = "This is the code of an earlier request: report it in the TokPortal dashboard, then clear Action."
CORRECTION_LOST = "The answer to the correction was lost; the next run looks again."
NO_SIGN_OF_REPORT = (
    "TokPortal shows no sign of this report: report the code in the TokPortal dashboard, then clear Action."
)
CANNOT_REPORT = "This API key cannot report codes: report it in the TokPortal dashboard, then clear Action."


def video_not_shown(answer: str, message: str) -> str:
    """TokPortal refuses to tell of this video; `answer` is its HTTP status and error name."""
    return f"TokPortal does not show this video ({answer}: {message or 'no message'}). Check the Video ID."


def contradiction(named: str, known: str) -> str:
    """TokPortal names another request than the one that is known to be newer, and that is no replica's lag any more."""
    answer = f"names {named}, an older request," if named else "knows no request"
    return f"TokPortal {answer} though {known} was seen here. Nothing is ordered; check the Video ID, or ask TokPortal."


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."


def not_ordered(error: Exception) -> str:
    """The last look before the order failed."""
    return f"Not ordered: {_sentence(error)}"


def not_reported(error: Exception) -> str:
    """The last look before the correction failed."""
    return f"Not reported yet: {_sentence(error)}"


def correction_refused(no: Exception) -> str:
    """TokPortal's no to a correction."""
    return f"{no} Report it in the TokPortal dashboard if this stays."


def earlier_order_may_go_through(no: Exception) -> str:
    """A resend was refused while the first call may still be under way."""
    return f"Looking whether an earlier order went through: {_sentence(no)}"


def not_ordered_in_this_run(reason: str) -> str:
    """Something that concerns all orders came up before this row's turn."""
    return f"Not ordered in this run: {reason} The next run goes on."


TOO_LATE = "Too much time went by before the order could be sent; the next run looks again."
PAYMENT_FIRST = "TokPortal asks for payment (402) first."
OUT_OF_TIME = "the time of the run is over."
STOPPED = "the run was stopped."
FEWER_CALLS = "TokPortal asks for fewer calls."
NUMBER_NOT_TAKEN = "the number that allows it could not be taken out of its cell: it has to be typed again, by hand."
UNCLEAR_ANSWERS = "TokPortal does not answer clearly."


def unexpected_price(video_id: str, charged: int | None, expected: int) -> str:
    """An order cost something else than the known price, or did not say what it cost."""
    price = "without naming a price" if charged is None else f"for {charged} credits"
    return f"TokPortal took the order of video {video_id} {price}, {expected} were expected."


def price_locked(why: str) -> str:
    """An earlier order cost something else than expected: a person has to accept that first."""
    return f"Waits: {why} Ask whoever runs sheetsync to accept the price."


CANCELLED = "TokPortal cancelled this request and refunded its credits. Mark request to order again."
CODE_CANCELLED = "TokPortal cancelled the code: stop ads that use it."
RENEWAL_UNDER_WAY = "A renewal is under way; until its code is there, this row shows the earlier code."
EARLIER_CODE_SHOWN = "The code shown is an earlier one."
NOT_OF_THIS_VIDEO = (
    "Nobody knows of this Request ID, nor of the code beside it: correct the Video ID, or empty Request ID if the code "
    "came from elsewhere."
)
NOT_ITS_OWN = (
    "This Request ID is another video's, and nobody knows of the code beside it: correct the Video ID, or empty "
    "Request ID if the code came from elsewhere."
)
NOT_CONFIRMED = "The code is as this row told it; TokPortal has not confirmed it."
WITHOUT_A_CODE = "TokPortal says that this request is finished, and names no code: ask TokPortal if none comes."
REPORTED = "Reported to the manager, who will send a new code."
ADOPTED = {
    Origin.ADOPTED_OPEN: "Already ordered; taken over, nothing more was charged.",
    Origin.ADOPTED_EXISTING: "A code already exists; nothing more was charged.",
    Origin.ADOPTED_RENEWED: "This was already renewed; nothing more was charged.",
}


def adopted(origin: Origin, price: int) -> str:
    """How a request came to be taken over, and what would order another."""
    told = ADOPTED.get(origin, "")
    return told if origin is Origin.ADOPTED_OPEN or not told else f"{told} {_to_renew(price)}"


def others_run(ends: Sequence[str]) -> str:
    """Codes of this video that the row does not show and that may still run; an end that nobody knows is empty."""
    told = ", ".join(f"until {end}" if end else "with no known end" for end in ends)
    return (
        f"Another code of this video may still run, {told}." if len(ends) < 2 else f"Other codes may still run: {told}."
    )


def expiry_of_another_code(header: str) -> str:
    """Known expiry was typed for the code before this one."""
    return (
        f"{header} was typed for another code: type the date of this one "
        "(if it is the same: empty the cell, let a run pass, type it again)."
    )


def retired_another_code(header: str) -> str:
    """Retired was said of the code before this one."""
    return (
        f"{header} retired was said of another code: change it (to retire this one: empty it, let a run pass, pick it)."
    )


def two_ends(header: str, typed: str, told: str) -> str:
    """People and TikTok do not say the same."""
    return f"{header} says {typed}, TikTok {told}: the earlier one counts."


def code_refused(answer: str) -> str:
    """TikTok does not accept the code; `answer` is in its own words."""
    return f"TikTok does not accept this code ({answer}). Mark correct, with the reason in Feedback."


def code_not_told(answer: str) -> str:
    """The token may read the ad account, but not this."""
    return f"TikTok does not tell us of this code ({answer}). Ask whoever runs sheetsync what the token may read."


def post_refused(answer: str) -> str:
    """TikTok does not take the post, whatever its code."""
    return f"TikTok does not accept this post ({answer}): another code will not help. Ask the creator."


def code_state(state: str) -> str:
    """A state in which ads may have stopped."""
    return f"TikTok says of this code: {state}. Ads that use it may have stopped; ask the creator."


def no_ad_account(header: str) -> str:
    """Neither the row nor the configuration names an ad account."""
    return f"TikTok is not asked about this code: {header} holds no ad account's id (its digits, as text)."


def unknown_status(status: str) -> str:
    """A status that the API page does not list."""
    return f"TokPortal says '{status[:60]}', a status unknown to sheetsync; see its dashboard."


def another_price(charged: int, expected: int) -> str:
    """What this request cost, where that is not the known price."""
    return f"This order cost {charged} credits instead of {expected}."


def duplicate_of(rows: Sequence[int]) -> str:
    """Other rows have the same key; empty where there are none."""
    if not rows:
        return ""
    return f"Duplicate of row {', '.join(map(str, rows))}: one of them acts, all show the same."


def same_post(rows: Sequence[int]) -> str:
    """Rows of another video have the same Video URL."""
    return f"Same Video URL as row {', '.join(map(str, rows))}, under another Video ID: one of the two is wrong."


def shows_an_error(header: str, shown: str) -> str:
    """A formula whose source cannot be reached, say."""
    return f"{header} shows {shown}: what it said before counts for the code."


def stays_as_it_is(header: str, shown: str) -> str:
    """A code that people keep in a row without a request cannot be read as there is a request."""
    return f"{header} shows {shown} now: mend it, or empty it; until then this row does not show the request."


def cell_problem(header: str, problem: Exception) -> str:
    """A cell by its header, and what is expected there."""
    return f"{header}: {problem}."


def no_date(shown: str) -> str:
    """A number or a checkbox where a date is wanted."""
    return f"{shown} is no date; {_PICK}"


def ambiguous_date(text: str) -> str:
    """03/04/2026 is March in one country and April in another."""
    return f"'{text[:40]}' can be read in two ways or none; {_PICK}"


def no_calendar_date(text: str) -> str:
    """Such as 2026-02-30."""
    return f"'{text[:40]}' is not in the calendar; {_PICK}"


def implausible_date(text: str) -> str:
    """A year that cannot be meant."""
    return f"'{text[:40]}' is no plausible date; {_PICK}"


def no_days(cell: object) -> str:
    """No whole number of days within reason."""
    return f"'{str(cell)[:40]}' is no number of days; use 7, 30, 60, 180 or 365"
