using Telemetry.Model.Protocol;

namespace Telemetry.Processing.DataFaults;

/// <summary>The place of a message in the log. A stream that was created again has other places.</summary>
internal readonly record struct MessageKey(int Partition, StreamKind Stream, long StreamCreatedNanos, long Sequence);

/// <summary>
/// Finds the message whose data the database refuses (SQLSTATE class 22 or 23). If the database names the reading, that
/// reading's frame becomes a suspect at once; otherwise the transaction is halved until one message is left. Each time
/// a suspect is refused alone, more of it is rejected (<see cref="SuspectLevel"/>). The limit grows again with each
/// success. The search ends, because every failure names a new suspect, halves the transaction, or raises a level.
/// </summary>
internal sealed class DataFaultIsolator
{
    /// <summary>The most suspects remembered; beyond it all are forgotten, and found again.</summary>
    private const int SuspectsMax = 1024;

    private readonly Dictionary<MessageKey, SuspectMessage> _suspects = [];
    private readonly List<(MessageKey Place, int ReadingsFirst)> _taken = [];
    private int _failures;
    private int _messagesMax = int.MaxValue;

    /// <summary>The number of messages in the current transaction.</summary>
    public int Taken { get; private set; }

    /// <summary>False when the current transaction may take no more messages.</summary>
    public bool Room => Taken < _messagesMax;

    /// <summary>A message was taken.</summary>
    public void Took() => Taken++;

    /// <summary>
    /// A message that was taken is applied to the transaction; its readings follow the given number of readings.
    /// </summary>
    public void Applying(MessageKey place, int readingsFirst) => _taken.Add((place, readingsFirst));

    /// <summary>What is known against a message.</summary>
    public SuspectMessage Of(MessageKey place) => _suspects.Count > 0 ? _suspects.GetValueOrDefault(place) : default;

    /// <summary>
    /// The database refused the data of this transaction; <paramref name="reading"/> is the refused row of its
    /// readings, if the database named it. Returns true when the next try differs from this one; false when there is
    /// nothing left to do but wait.
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
            // One bad frame among good ones causes no halving. After more than one failure, fewer messages are tried
            // together.
            _messagesMax = _failures > 1 ? Math.Max(1, Taken / 2) : _messagesMax;
            return true;
        }

        if (Taken != 1 || _taken.Count == 0)
        {
            _messagesMax = Taken > 1 ? Taken / 2 : _messagesMax;
            return Taken > 1;
        }

        // A schema brings the messages that waited for it: raise the level of the least suspected one, the last of
        // equals first.
        _messagesMax = 1;
        var level = _taken.Min(t => Of(t.Place).Level);
        var at = _taken.FindLastIndex(t => Of(t.Place).Level == level);
        _suspects[_taken[at].Place] = new SuspectMessage(level == SuspectLevel.Everything ? level : level + 1, error);
        return level != SuspectLevel.Everything;
    }

    /// <summary>
    /// The transaction committed: the messages that it took are no longer suspects. A transaction that took none (a
    /// renewal of the leases) proves nothing about the data.
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

    /// <summary>The transaction did not commit.</summary>
    public void Interrupted()
    {
        Taken = 0;
        _taken.Clear();
    }
}
