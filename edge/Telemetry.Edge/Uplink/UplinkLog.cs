using Microsoft.Extensions.Logging;

namespace Telemetry.Edge.Uplink;

/// <summary>The log messages of the uplink (ids 1100-1199): none per frame.</summary>
internal static partial class UplinkLog
{
    [LoggerMessage(1100, LogLevel.Information, "Connected")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(1101, LogLevel.Information, "The connection ended")]
    public static partial void Disconnected(ILogger logger);

    [LoggerMessage(1102, LogLevel.Warning, "Could not connect: {Error} (transient: {Transient})")]
    public static partial void ConnectFailed(ILogger logger, string error, bool transient);

    [LoggerMessage(1103, LogLevel.Warning, "A publish was refused with reason 0x{Code:x2}: {Reason}")]
    public static partial void Refused(ILogger logger, byte code, string? reason);

    [LoggerMessage(1104, LogLevel.Error, "Fork: {What}")]
    public static partial void Fork(ILogger logger, string what);

    [LoggerMessage(
        1105, LogLevel.Error,
        "Frame {Frame} was refused {Refusals} times for a fault of its own; its bytes went to quarantine")]
    public static partial void Quarantined(ILogger logger, string frame, int refusals);

    [LoggerMessage(
        1107, LogLevel.Error, "Frame {Frame} was refused and cannot be replaced: {Error}; it stays in the outbox")]
    public static partial void Unreadable(ILogger logger, string frame, string error);

    [LoggerMessage(
        1108, LogLevel.Warning,
        "The cloud refused a hello that states a version of frames: it is older than this agent, which seals version 0 "
        + "for it")]
    public static partial void CloudIsOlder(ILogger logger);

    [LoggerMessage(1106, LogLevel.Warning, "Ignored a malformed message from the cloud: {Error}")]
    public static partial void DownMalformed(ILogger logger, string error);
}
