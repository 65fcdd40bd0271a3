using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Ingress.Access;
using Telemetry.Model.Identity;

namespace Telemetry.Ingress;

/// <summary>The log messages of an ingress (ids 1000-1099): none for a frame that is accepted.</summary>
internal static partial class IngressLog
{
    [LoggerMessage(1000, LogLevel.Information, "Listened for MQTT on port {Port}")]
    public static partial void Listening(ILogger logger, int port);

    [LoggerMessage(
        1001, LogLevel.Warning,
        "Refused a connection from {Remote} (0x{Code:x2}): {Reason}; {NotLogged} refusals before it were not logged")]
    public static partial void ConnectRefused(
        ILogger logger, EndPoint? remote, byte code, string? reason, long notLogged);

    [LoggerMessage(
        1003, LogLevel.Warning,
        "Refused a publish of gateway {Gateway} (0x{Code:x2}): {Reason}; {NotLogged} refusals before it were not "
        + "logged")]
    public static partial void PublishRefused(
        ILogger logger, GatewayId gateway, byte code, string? reason, long notLogged);

    [LoggerMessage(
        1004, LogLevel.Warning, "Stopped with {Publishes} publishes unacknowledged; their gateways send them again")]
    public static partial void StoppedUndrained(ILogger logger, int publishes);

    [LoggerMessage(1005, LogLevel.Warning, "A session's subscription did not end cleanly: {Error}")]
    public static partial void CloseFailed(ILogger logger, string error);

    [LoggerMessage(1006, LogLevel.Information, "Read a new version of the gateways file: {Gateways} gateways")]
    public static partial void GatewaysRead(ILogger logger, int gateways);

    [LoggerMessage(
        1007, LogLevel.Warning,
        "Could not read the new version of the gateways file, went on with the one before: {Error}")]
    public static partial void GatewaysUnreadable(ILogger logger, string error);

    [LoggerMessage(
        1008, LogLevel.Warning,
        "Paused {Sender} after {Failures} wrong passwords: attempts in the pauses are refused unchecked; {NotLogged} "
        + "such lines before it were not logged")]
    public static partial void PasswordsPaused(ILogger logger, PasswordSender sender, int failures, long notLogged);

    [LoggerMessage(
        1009, LogLevel.Information,
        "Ended the pauses of {Sender}, which were quiet; {NotChecked} attempts were refused unchecked; {NotLogged} "
        + "such lines before it were not logged")]
    public static partial void PasswordPauseEnded(
        ILogger logger, PasswordSender sender, long notChecked, long notLogged);

    [LoggerMessage(
        1010, LogLevel.Warning,
        "Refused a connection as busy (0x89), since {Waiting} passwords wait to be checked; the same happens to others "
        + "until there is room")]
    public static partial void PasswordsBusy(ILogger logger, int waiting);

    [LoggerMessage(
        1011, LogLevel.Information, "Caught up with checking passwords; {Refused} connections were refused as busy")]
    public static partial void PasswordsCaughtUp(ILogger logger, long refused);
}
