namespace Telemetry.Alerting.Relay;

/// <summary>What a relay counted since it started; written by its loop, read by anyone.</summary>
public sealed class RelayCounters
{
    /// <summary>Records committed.</summary>
    public long Published { get; set; }

    /// <summary>Rows whose id was in the topic already.</summary>
    public long Skipped { get; set; }

    /// <summary>Rows that left as they are because they could not be read.</summary>
    public long Unreadable { get; set; }

    /// <summary>Rows that had been removed before they were published.</summary>
    public long Gone { get; set; }

    /// <summary>Transactions committed.</summary>
    public long Transactions { get; set; }

    /// <summary>Transactions aborted.</summary>
    public long Aborted { get; set; }

    /// <summary>Times that a younger relay fenced this one.</summary>
    public long Fenced { get; set; }

    /// <summary>Errors of sink or database that were waited out.</summary>
    public long Errors { get; set; }

    /// <summary>Times that the database was found put back while this relay led.</summary>
    public long PutBacks { get; set; }

    /// <summary>Times that the topic was read back.</summary>
    public long ReadBacks { get; set; }

    /// <summary>Records found in the topic that the database lacked when the topic was last read back.</summary>
    public long Orphans { get; set; }

    /// <summary>1 while this relay publishes, 0 while it stands by or begins.</summary>
    public long Leading { get; set; }

    /// <summary>Rows that wait to be published, when the outbox was last looked at.</summary>
    public long Waiting { get; set; }
}
