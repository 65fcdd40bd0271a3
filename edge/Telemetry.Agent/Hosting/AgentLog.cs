using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.Hosting;

/// <summary>What an agent says of itself; ids 1000 to 1049.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(
        1000, LogLevel.Information,
        "Opened outbox {Outbox:x16} in {File}: {Accepted} readings accepted so far, {Held} frames held")]
    public static partial void OutboxOpened(ILogger log, ulong outbox, string file, long accepted, int held);

    [LoggerMessage(
        1001, LogLevel.Error,
        "The outbox failed: {Problem}. It is opened again and again, at last once a minute (failed so {Repeats} "
        + "times)")]
    public static partial void OutboxBroke(ILogger log, string problem, int repeats);

    [LoggerMessage(
        1002, LogLevel.Error,
        "Input {Input} failed: {Problem}. It is started again and again, at last once a minute (failed so {Repeats} "
        + "times)")]
    public static partial void InputFailed(ILogger log, string input, string problem, int repeats);

    [LoggerMessage(1003, LogLevel.Information, "Input {Input} came to its end after {Acknowledged} readings")]
    public static partial void InputEnded(ILogger log, string input, long acknowledged);

    [LoggerMessage(1004, LogLevel.Information, "Stopped; {Held} frames wait in the outbox for the next run")]
    public static partial void Stopped(ILogger log, int held);

    [LoggerMessage(1005, LogLevel.Error, "The outbox cannot be used, an operator is needed: {Problem}")]
    public static partial void OutboxUnusable(ILogger log, string problem);

    [LoggerMessage(
        1006, LogLevel.Warning,
        "FOR TESTS ONLY: one reading in {Every} is dropped and declared ({Variable} is set)")]
    public static partial void TestDropsOn(ILogger log, int every, string variable);

    [LoggerMessage(1007, LogLevel.Error, "Refuses readings: {Problem}. What the outbox holds is sent on")]
    public static partial void Refuses(ILogger log, string problem);

    [LoggerMessage(1008, LogLevel.Information, "Takes readings again; {Refused} were refused meanwhile")]
    public static partial void TakesAgain(ILogger log, long refused);

    [LoggerMessage(1010, LogLevel.Warning, "{Lines} lines like the one before (event {Id}) were left out")]
    public static partial void LeftOut(ILogger log, int lines, int id);
}
