using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;
using Telemetry.Diagnostics.Tracing;

namespace Telemetry.Cloud.Hosting;

/// <summary>What a cloud process logs of itself (ids 3000-3099).</summary>
internal static partial class OperationsLog
{
    [LoggerMessage(3000, LogLevel.Information, "Started as {Roles} with {Partitions} partitions; HTTP at {Address}")]
    public static partial void Started(ILogger logger, CloudRoles roles, int partitions, string address);

    [LoggerMessage(3001, LogLevel.Information, "Connected to nats-server {Server}")]
    public static partial void NatsConnected(ILogger logger, string server);

    [LoggerMessage(3002, LogLevel.Warning, "nats-server complained: {Detail}")]
    public static partial void NatsComplained(ILogger logger, string detail);

    [LoggerMessage(3003, LogLevel.Information, "Opened the database: {Edition}")]
    public static partial void DatabaseOpened(ILogger logger, string edition);

    [LoggerMessage(3010, LogLevel.Warning, "People cannot query the views yet: {Problem}")]
    public static partial void ReaderRoleMissing(ILogger logger, string problem);

    [LoggerMessage(3070, LogLevel.Information, "The dashboard is at {Address}")]
    public static partial void DashboardStarted(ILogger logger, string address);

    [LoggerMessage(
        3071, LogLevel.Warning,
        "The dashboard has no users: everybody on this machine may see and change everything there")]
    public static partial void DashboardOpen(ILogger logger);

    [LoggerMessage(
        3072, LogLevel.Warning,
        "The dashboard is not behind TLS (dashboard.behindTls): passwords and sessions go over the network in clear")]
    public static partial void DashboardPlain(ILogger logger);

    [LoggerMessage(3005, LogLevel.Information, "Stopping")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(3006, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(3007, LogLevel.Error, "Ended by an error that this program does not know")]
    public static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(3008, LogLevel.Warning, "Did not stop within {Limit}; ended as if killed, which loses nothing")]
    public static partial void StopCut(ILogger logger, TimeSpan limit);

    [LoggerMessage(3009, LogLevel.Error, "Ended, since the database does not fit: {Why}")]
    public static partial void DatabaseRefused(ILogger logger, string why);

    [LoggerMessage(3004, LogLevel.Error, "Did not start: {Why}")]
    public static partial void NotStarted(ILogger logger, string why);

    [LoggerMessage(3040, LogLevel.Error, "Ended, since this process does not belong to the installation: {Why}")]
    public static partial void InstallationRefused(ILogger logger, string why);

    [LoggerMessage(3041, LogLevel.Information, "Works with {Facts}")]
    public static partial void InstallationFound(ILogger logger, string facts);

    [LoggerMessage(
        3042, LogLevel.Warning, "Waits until a processor has made the log's streams, or a repartition is done")]
    public static partial void InstallationAwaited(ILogger logger);

    [LoggerMessage(
        3050, LogLevel.Information,
        "The windows file {File} agrees with the database: {Entries} entries, of which {Added} were added now")]
    public static partial void WidthsCompared(ILogger logger, string file, int entries, int added);

    [LoggerMessage(
        3060, LogLevel.Information,
        "Retention removed {Readings} readings and {Parts} parts of windows; {Dropped} weeks or chunks went as a "
        + "whole")]
    public static partial void Retired(ILogger logger, long readings, long parts, int dropped);

    [LoggerMessage(
        3061, LogLevel.Information,
        "A query or a commit uses the oldest week or chunk that retention removes; it waits for the next run")]
    public static partial void RetentionDelayed(ILogger logger);

    [LoggerMessage(3020, LogLevel.Information, "Traces go to {Endpoint}, of a share of {Ratio} of the frames")]
    public static partial void Tracing(ILogger logger, string endpoint, double ratio);

    public static void TracesChanged(ILogger logger, string endpoint, CollectorChange change)
    {
        if (change.IsReached)
        {
            TracesTaken(logger, endpoint, change.Seconds, change.Spans);
        }
        else
        {
            TracesNotTaken(logger, endpoint, change.Spans);
        }
    }

    [LoggerMessage(
        3014, LogLevel.Warning,
        "{Given} of {Max} numbers of series and devices are given; when none is left, further series are refused and "
        + "their readings become dead letters")]
    public static partial void NumbersHalfGiven(ILogger logger, long given, long max);

    [LoggerMessage(
        3024, LogLevel.Warning,
        "The database does not write readings to the columnstore at once ({Problem}); this process does not ask it to "
        + "any more")]
    public static partial void DirectCompressOff(ILogger logger, string problem);

    [LoggerMessage(
        3021, LogLevel.Warning,
        "The trace collector at {Endpoint} did not take {Spans} spans; repeats are counted, not logged")]
    private static partial void TracesNotTaken(ILogger logger, string endpoint, long spans);

    [LoggerMessage(
        3022, LogLevel.Information,
        "The trace collector at {Endpoint} took spans again after {Seconds:0} s; {Spans} spans were not taken")]
    private static partial void TracesTaken(
        ILogger logger, string endpoint, double seconds, long spans);
}
