using Telemetry.Inputs.LineProtocol;

namespace Telemetry.Inputs.Http;

/// <summary>What became of a body so far, over all of its parts, and the answer that follows.</summary>
internal sealed class WholeOutcome
{
    // The errors of one part are named; of the others only the count is told.
    private string _errors = "";
    private int _stored;
    private int _refused;

    /// <summary>Behind the last part.</summary>
    public BodyPosition Next { get; private set; } = BodyPosition.Start;

    /// <summary>True when all of it had been stored before.</summary>
    public bool IsRepeat { get; private set; }

    public void Add(PartOutcome part, bool repeated)
    {
        Next = part.Next;
        _stored += part.Stored;
        _refused += part.Refused;
        _errors = _errors.Length == 0 ? part.Errors : _errors;
        IsRepeat |= repeated;
    }

    /// <summary>Every part has been dealt with.</summary>
    public WriteAnswer Answer() => _refused == 0 ? WriteAnswer.Stored
        : _stored > 0 ? new WriteAnswer(400, $"partial write: {_errors} dropped={_refused}")
        : new WriteAnswer(400, $"nothing was written: {_errors} dropped={_refused}");

    /// <summary>A part could not be stored: says what was, and what to do.</summary>
    public WriteAnswer Refusal(int status, string reason, TimeSpan? retryAfter, WriteRequest request)
    {
        if (_stored > 0)
        {
            reason = $"lines 1 to {Next.Number - 1} are stored, the ones from line {Next.Number} on are not: {reason}; "
                + (request.Key is not null
                    ? $"to store exactly those, {request.HowToRepeat}"
                    : "send only those again, a repeat of all would store the first ones twice");
        }

        return new WriteAnswer(status, reason, retryAfter);
    }
}
