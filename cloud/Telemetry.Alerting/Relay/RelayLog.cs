using Microsoft.Extensions.Logging;

namespace Telemetry.Alerting.Relay;

/// <summary>The log messages of the relay (ids 4100-4199): none per alert.</summary>
internal static partial class RelayLog
{
    [LoggerMessage(4100, LogLevel.Information, "Took the lease of the relay {Relay}; beginning as the only producer")]
    public static partial void LeaseTaken(ILogger logger, string relay);

    [LoggerMessage(4101, LogLevel.Information, "Another relay holds the lease of {Relay}; standing by")]
    public static partial void StandingBy(ILogger logger, string relay);

    [LoggerMessage(
        4102, LogLevel.Information, "Publishing; {Partitions} partitions have a position, {Waiting} alerts wait")]
    public static partial void Leading(ILogger logger, int partitions, long waiting);

    [LoggerMessage(
        4103, LogLevel.Warning, "A younger relay fenced this one; its open transaction was aborted, standing by")]
    public static partial void Fenced(ILogger logger);

    [LoggerMessage(4104, LogLevel.Warning, "The lease of the relay {Relay} was lost")]
    public static partial void LeaseLost(ILogger logger, string relay);

    [LoggerMessage(4105, LogLevel.Warning, "A transaction was aborted and is tried again: {Error}")]
    public static partial void Aborted(ILogger logger, string error);

    [LoggerMessage(
        4107, LogLevel.Warning,
        "The outbox of partition {Partition} is not the one of the position {Position}: the database was put back. "
        + "Comparing with the topic")]
    public static partial void PutBack(ILogger logger, int partition, string position);

    [LoggerMessage(
        4108, LogLevel.Information,
        "Read the topic back from {From:O}: {Found} alerts are there, {Orphans} of them are not in the database "
        + "(telemetry.alert_orphan)")]
    public static partial void ReadBack(ILogger logger, DateTimeOffset from, int found, int orphans);

    [LoggerMessage(
        4109, LogLevel.Error,
        "Alerts {First} to {Last} of partition {Partition} were removed from the outbox before they were published")]
    public static partial void Gone(ILogger logger, int partition, long first, long last);

    [LoggerMessage(4110, LogLevel.Error, "Alert {Number} of partition {Partition} cannot be read; published as it is")]
    public static partial void Unreadable(ILogger logger, int partition, long number);
}
