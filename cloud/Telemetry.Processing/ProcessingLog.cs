using Microsoft.Extensions.Logging;

namespace Telemetry.Processing;

/// <summary>What a processor logs (ids 2000-2099): nothing per reading, nothing per frame.</summary>
internal static partial class ProcessingLog
{
    [LoggerMessage(
        2000, LogLevel.Information,
        "Took the lease of partition {Partition} at commit {Commits}, live {Live}, backlog {Backlog}")]
    public static partial void LeaseTaken(ILogger logger, int partition, long commits, long live, long backlog);

    [LoggerMessage(
        2001, LogLevel.Warning,
        "Gave up partitions {Partitions}: another process owns them or holds them now; nothing was committed")]
    public static partial void NotOwner(ILogger logger, string partitions);

    [LoggerMessage(
        2002, LogLevel.Warning, "{Stream} did not hold the position {Position} any more: read on from {From}")]
    public static partial void Rewound(ILogger logger, string stream, long position, long from);

    [LoggerMessage(
        2003, LogLevel.Warning,
        "Ended database session {Session}: it held partition {Partition} of {Owner} and waited for its process, which "
        + "had not renewed its lease for {Lease}; what it had begun was rolled back")]
    public static partial void HolderEnded(
        ILogger logger, int partition, string owner, int session, TimeSpan lease);

    [LoggerMessage(
        2004, LogLevel.Information, "Gave back the lease of partition {Partition}: another process has fewer")]
    public static partial void LeaseGivenBack(ILogger logger, int partition);

    [LoggerMessage(
        2006, LogLevel.Warning,
        "{Stream} was over {Percent} % of its bytes: purged what the database has, below {Position}; a database backup "
        + "older than that can be healed from the edge alone")]
    public static partial void Purged(ILogger logger, string stream, int percent, long position);

    [LoggerMessage(
        2040, LogLevel.Error,
        "Refused gateway {Gateway}: its row in the database names partition {Theirs}, but with {Partitions} partitions "
        + "it belongs to {Ours}; nothing of it is stored or acknowledged until that is mended")]
    public static partial void GatewayRefused(
        ILogger logger, string gateway, int theirs, int partitions, int ours);

    [LoggerMessage(2060, LogLevel.Information, "Takes {Count} widths of windows from the database, before {Before}")]
    public static partial void WidthsRead(ILogger logger, int count, int before);

    [LoggerMessage(
        EventId = 2050, Message = "{Stream} is {Messages} messages behind; the oldest came {Age} ago")]
    public static partial void Lags(ILogger logger, LogLevel level, string stream, long messages, TimeSpan age);

    [LoggerMessage(
        2051, LogLevel.Error,
        "{Stream} is {Messages} messages behind; the oldest came {Age} ago, and in {Left} the log removes it unread")]
    public static partial void LagCritical(
        ILogger logger, string stream, long messages, TimeSpan age, TimeSpan left);

    [LoggerMessage(
        2052, LogLevel.Critical,
        "{Stream} is {Messages} messages behind, the oldest came {Age} ago: the log removes messages before they are "
        + "read; gateways send them again as far as they still have them")]
    public static partial void LagOutlivesLog(ILogger logger, string stream, long messages, TimeSpan age);

    [LoggerMessage(2053, LogLevel.Information, "{Stream} is not behind any more")]
    public static partial void LagGone(ILogger logger, string stream);

    [LoggerMessage(2005, LogLevel.Warning, "Ignored a malformed hello of gateway {Gateway}: {Error}")]
    public static partial void HelloMalformed(ILogger logger, string gateway, string error);

    [LoggerMessage(
        2010, LogLevel.Warning,
        "Refused a schema of gateway {Gateway}: {Limit}; frames that need it wait at the edge, the gateway's other "
        + "frames are stored")]
    public static partial void SchemaOverLimit(ILogger logger, string gateway, string limit);
}
