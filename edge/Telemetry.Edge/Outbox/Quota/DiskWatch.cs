namespace Telemetry.Edge.Outbox.Quota;

/// <summary>
/// Follows how commits succeed on the disk and at the quota, and decides from that what may be committed now. Used on
/// the outbox' thread.
/// </summary>
internal sealed class DiskWatch
{
    // How often frees and receipts get a commit of their own while readings are refused: they make room.
    private static readonly TimeSpan ReliefInterval = TimeSpan.FromSeconds(1);

    // After the quota was reached, this share of it must become free: a margin, so that the state does not flicker.
    private const int QuotaMarginShare = 16;

    // A disk that fails again within this time counts as failing until it has worked for this time, so that its state
    // does not flicker in the log.
    private static readonly TimeSpan SteadyTime = TimeSpan.FromMinutes(1);

    private readonly IOutboxFile _file;
    private readonly OutboxState _state;
    private readonly OutboxOptions _options;
    private readonly TimeProvider _time;
    private readonly DiskPause _rest;
    private long _overheadBytes;
    private long _failedAt;
    private long? _recoveredAt;
    private bool _mustBeSteady;
    private bool _works = true;

    public DiskWatch(IOutboxFile file, OutboxState state, OutboxOptions options, TimeProvider time)
    {
        _file = file;
        _state = state;
        _options = options;
        _time = time;
        _rest = new DiskPause(time);
        TakeOverhead();
    }

    /// <summary>Whether readings are accepted, and if not, why.</summary>
    public OutboxStanding Standing { get; } = new();

    /// <summary>True during the pause after a disk failure: nothing is committed.</summary>
    public bool Rests => _rest.Rests;

    /// <summary>The timestamp at which the pause ends; 0 when there is none.</summary>
    public long RestsUntil => _rest.Until;

    /// <summary>Why readings are refused because of the disk; null when they are not.</summary>
    public string? Refusal => _rest.RefusesReadings ? Standing.Problem : null;

    /// <summary>
    /// The timestamp of the next commit of frees and receipts alone; long.MaxValue while there is no failure.
    /// </summary>
    public long ReliefAt { get; private set; } = long.MaxValue;

    /// <summary>The bytes that count against the quota, without readings that wait for a commit.</summary>
    public long UsedBytes => _state.StoredBytes + _overheadBytes;

    /// <summary>An offer was refused because the quota is reached.</summary>
    public void QuotaReached(int readings)
    {
        Standing.SetAtQuota(true);
        Standing.Refused(readings);
        Press();
    }

    /// <summary>A commit was rolled back, and with it the given number of readings.</summary>
    public void Undone(OutboxException cause, bool broughtReadings, int readings)
    {
        _rest.Failed(broughtReadings);
        _failedAt = _time.GetTimestamp();
        _works = false;
        if (Standing.DiskFailure is null)
        {
            _mustBeSteady = _recoveredAt is { } at && _time.GetElapsedTime(at) < SteadyTime;
        }

        Standing.Failed(cause);
        Standing.Refused(readings);
        Press();
    }

    /// <summary>A commit is durable.</summary>
    public void Committed(bool broughtReadings)
    {
        _rest.Drained();
        TakeOverhead();
        if (Standing.DiskFailure is { } failure
            && (broughtReadings || failure.Fault != OutboxFault.Full || _file.Space.HasRoom))
        {
            _rest.Recovered();
            _works = true;
            RecoverIfSteady();
        }

        if (Standing.AtQuota && UsedBytes <= _options.QuotaBytes - (_options.QuotaBytes / QuotaMarginShare))
        {
            Standing.SetAtQuota(false);
        }

        ReliefAt = long.MaxValue;
        if (Standing.Problem is not null)
        {
            Press();
        }
    }

    /// <summary>There was nothing to commit when <see cref="ReliefAt"/> came.</summary>
    public void NothingToRelieve()
    {
        RecoverIfSteady();
        ReliefAt = long.MaxValue;
        if (Standing.Problem is not null)
        {
            Press();
        }
    }

    private void RecoverIfSteady()
    {
        if (Standing.DiskFailure is not null && _works
            && (!_mustBeSteady || _time.GetElapsedTime(_failedAt) >= SteadyTime))
        {
            _recoveredAt = _time.GetTimestamp();
            Standing.Recovered();
        }
    }

    private void Press() => ReliefAt = Math.Min(
        ReliefAt, _time.GetTimestamp() + (long)(ReliefInterval.TotalSeconds * _time.TimestampFrequency));

    // The bytes of the file beyond those of segments and frames. Frames freed since the commit do not count: the next
    // commit that needs room frees them first.
    private void TakeOverhead() => _overheadBytes = Math.Max(0, _file.Space.UsedBytes - _state.StoredBytes);
}
