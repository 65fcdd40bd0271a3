using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Tracing;

namespace Telemetry.Agent.Hosting;

/// <summary>What a process of agents says of itself; ids 1050 to 1059.</summary>
internal static partial class ProcessLog
{
    [LoggerMessage(1050, LogLevel.Information, "Started {Agents} agents, status on port {Port} of 127.0.0.1 (0: none)")]
    public static partial void Started(ILogger log, int agents, int port);

    [LoggerMessage(1051, LogLevel.Error, "Ended, because an agent cannot go on")]
    public static partial void Ended(ILogger log, Exception? cause);

    [LoggerMessage(1054, LogLevel.Error, "Cannot start: {Problem}")]
    public static partial void CannotStart(ILogger log, string problem);

    [LoggerMessage(
        1052, LogLevel.Warning,
        "Stopping took longer than {Timeout}; what is not committed was not acknowledged either")]
    public static partial void StopTimedOut(ILogger log, TimeSpan timeout);

    [LoggerMessage(1053, LogLevel.Information, "Traces go to {Endpoint}, of a share of {Ratio} of the frames")]
    public static partial void Tracing(ILogger log, string endpoint, double ratio);

    public static void TracesChanged(ILogger log, string endpoint, CollectorChange change)
    {
        if (change.IsReached)
        {
            TracesTaken(log, endpoint, change.Seconds, change.Spans);
        }
        else
        {
            TracesNotTaken(log, endpoint, change.Spans);
        }
    }

    [LoggerMessage(
        1055, LogLevel.Warning,
        "The trace collector at {Endpoint} did not take {Spans} spans; repeats are counted, not logged")]
    private static partial void TracesNotTaken(ILogger log, string endpoint, long spans);

    [LoggerMessage(
        1056, LogLevel.Information,
        "The trace collector at {Endpoint} took spans again after {Seconds:0} s; {Spans} spans were not taken")]
    private static partial void TracesTaken(
        ILogger log, string endpoint, double seconds, long spans);
}
