namespace Telemetry.Edge.Outbox.Quota;

/// <summary>
/// Whether the outbox accepts readings, and if not, why: a disk that failed, or the quota. Draining continues
/// meanwhile. Changed on the outbox' thread.
/// </summary>
public sealed class OutboxStanding
{
    /// <summary>
    /// Raised when <see cref="DiskFailure"/> or <see cref="AtQuota"/> begins, ends or changes its kind.
    /// </summary>
    public event Action? Changed;

    /// <summary>The failure of the disk; null while it works.</summary>
    public OutboxException? DiskFailure { get; private set; }

    /// <summary>True from the time when an offer was refused for the quota until an offer is accepted again.</summary>
    public bool AtQuota { get; private set; }

    /// <summary>Readings refused since the failure began or the quota was reached.</summary>
    public long RefusedReadings { get; private set; }

    /// <summary>
    /// Why readings are refused, or were refused a moment ago by a disk that fails now and then; null otherwise.
    /// </summary>
    public string? Problem => DiskFailure is { } failure
        ? $"{Word(failure.Fault)}, readings are refused: {failure.Message}"
        : AtQuota ? "quota reached (outbox.quotaBytes), readings are refused until the uplink has drained the outbox"
        : null;

    /// <summary>The kind of a failure as text, for logs and people.</summary>
    public static string Word(OutboxFault fault) => fault switch
    {
        OutboxFault.Full => "disk full",
        OutboxFault.ReadOnly => "disk read-only",
        OutboxFault.Io => "disk failing",
        OutboxFault.Busy => "outbox locked",
        OutboxFault.Corrupt => "outbox damaged",
        _ => "outbox failing",
    };

    internal void Refused(int readings) => RefusedReadings += readings;

    internal void Failed(OutboxException failure)
    {
        var isNew = DiskFailure?.Fault != failure.Fault;
        if (DiskFailure is null)
        {
            RefusedReadings = 0;
        }

        DiskFailure = failure;
        if (isNew)
        {
            Changed?.Invoke();
        }
    }

    internal void Recovered()
    {
        if (DiskFailure is not null)
        {
            DiskFailure = null;
            Changed?.Invoke();
        }
    }

    internal void SetAtQuota(bool atQuota)
    {
        if (AtQuota == atQuota)
        {
            return;
        }

        AtQuota = atQuota;
        RefusedReadings = atQuota && DiskFailure is null ? 0 : RefusedReadings;
        Changed?.Invoke();
    }
}
