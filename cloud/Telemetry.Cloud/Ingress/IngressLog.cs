using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Model;

namespace Telemetry.Cloud.Ingress;

/// <summary>What an ingress logs (ids 1000-1099): nothing per frame that goes well.</summary>
internal static partial class IngressLog
{
    [LoggerMessage(1000, LogLevel.Information, "Listened for MQTT on port {Port}")]
    public static partial void Listening(ILogger logger, int port);

    [LoggerMessage(1001, LogLevel.Warning, "Refused a connection from {Remote} (0x{Code:x2}): {Reason}")]
    public static partial void ConnectRefused(ILogger logger, EndPoint? remote, byte code, string? reason);

    [LoggerMessage(1002, LogLevel.Warning, "Refused gateway {Gateway} for now, since the bus was out of reach")]
    public static partial void ConnectUnavailable(ILogger logger, GatewayId gateway, Exception error);

    [LoggerMessage(
        1003, LogLevel.Warning,
        "Refused a publish of gateway {Gateway} (0x{Code:x2}): {Reason}; {NotLogged} refusals before it were not "
        + "logged")]
    public static partial void PublishRefused(
        ILogger logger, GatewayId gateway, byte code, string? reason, long notLogged);

    [LoggerMessage(
        1004, LogLevel.Warning, "Stopped with {Publishes} publishes unacknowledged; their gateways send them again")]
    public static partial void StoppedUndrained(ILogger logger, int publishes);

    [LoggerMessage(1005, LogLevel.Warning, "A session's subscription did not end cleanly")]
    public static partial void CloseFailed(ILogger logger, Exception error);

    [LoggerMessage(1006, LogLevel.Information, "Read a new version of the gateways file: {Gateways} gateways")]
    public static partial void GatewaysRead(ILogger logger, int gateways);

    [LoggerMessage(
        1007, LogLevel.Warning,
        "Could not read the new version of the gateways file, went on with the one before: {Error}")]
    public static partial void GatewaysUnreadable(ILogger logger, string error);
}
