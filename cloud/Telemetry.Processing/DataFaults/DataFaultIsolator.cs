using Telemetry.Model.Protocol;

namespace Telemetry.Processing.DataFaults;

/// <summary>A message's place in the log; a stream made anew has other places.</summary>
internal readonly record struct MessageKey(int Partition, StreamKind Stream, long StreamCreatedNanos, long Sequence);

/// <summary>
/// Finds the message whose data the database refuses (SQLSTATE class 22 or 23). Where the database names the reading,
/// that reading's frame is suspected at once; else the transaction is halved until one message is left. Each time a
/// suspect is refused alone, more of it is rejected (<see cref="SuspectLevel"/>). Grows back with each success. The
/// search ends: every failure names a new suspect, halves, or raises a level.
/// </summary>
internal sealed class DataFaultIsolator
{
    /// <summary>The most suspects remembered; beyond, all are forgotten and found again.</summary>
    private const int SuspectsMax = 1024;

    private readonly Dictionary<MessageKey, SuspectMessage> _suspects = [];
    private readonly List<(MessageKey Place, int ReadingsFirst)> _taken = [];
    private int _failures;
    private int _messagesMax = int.MaxValue;

    /// <summary>Messages in the transaction being built.</summary>
    public int Taken { get; private set; }

    /// <summary>False when the transaction may take no more messages.</summary>
    public bool Room => Taken < _messagesMax;

    /// <summary>A message was taken.</summary>
    public void Took() => Taken++;

    /// <summary>A message that was taken goes into the transaction, its readings behind so many.</summary>
    public void Applying(MessageKey place, int readingsFirst) => _taken.Add((place, readingsFirst));

    /// <summary>What is held against a message.</summary>
    public SuspectMessage Of(MessageKey place) => _suspects.Count > 0 ? _suspects.GetValueOrDefault(place) : default;

    /// <summary>
    /// The database refused the data of this transaction, at this row of its readings as far as it says. True when the
    /// next try is another one; false when nothing is left to try but to wait.
    /// </summary>
    public bool Failed(string error, int? reading)
    {
        _failures++;
        if (_suspects.Count >= SuspectsMax)
        {
            _suspects.Clear();
        }

        if (reading is { } row && _taken.FindLastIndex(t => t.ReadingsFirst <= row) is >= 0 and var named
            && _suspects.TryAdd(_taken[named].Place, new SuspectMessage(SuspectLevel.Readings, error)))
        {
            // One bad frame among good ones costs no halving; where there are many, fewer are tried together.
            _messagesMax = _failures > 1 ? Math.Max(1, Taken / 2) : _messagesMax;
            return true;
        }

        if (Taken != 1 || _taken.Count == 0)
        {
            _messagesMax = Taken > 1 ? Taken / 2 : _messagesMax;
            return Taken > 1;
        }

        // A schema brings along what waited for it: the least suspected comes next, the last of equals first.
        _messagesMax = 1;
        var level = _taken.Min(t => Of(t.Place).Level);
        var at = _taken.FindLastIndex(t => Of(t.Place).Level == level);
        _suspects[_taken[at].Place] = new SuspectMessage(level == SuspectLevel.Everything ? level : level + 1, error);
        return level != SuspectLevel.Everything;
    }

    /// <summary>
    /// The transaction committed: what it took is no suspect any more. One that took nothing (a renewal of the leases)
    /// says nothing of the data.
    /// </summary>
    public void Succeeded()
    {
        if (Taken == 0)
        {
            return;
        }

        _failures = 0;
        _messagesMax = _messagesMax > int.MaxValue / 2 ? int.MaxValue : _messagesMax * 2;
        if (_suspects.Count > 0)
        {
            _taken.ForEach(t => _suspects.Remove(t.Place));
        }

        Interrupted();
    }

    /// <summary>The transaction did not happen.</summary>
    public void Interrupted()
    {
        Taken = 0;
        _taken.Clear();
    }
}
