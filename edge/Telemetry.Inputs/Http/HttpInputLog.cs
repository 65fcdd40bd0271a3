using Microsoft.Extensions.Logging;

namespace Telemetry.Inputs.Http;

/// <summary>What the HTTP input says of itself; ids 1060 to 1069. Refused requests are counted, not logged.</summary>
internal static partial class HttpInputLog
{
    [LoggerMessage(1060, LogLevel.Information, "Listening for line protocol on {Address}")]
    public static partial void Listening(ILogger log, string address);

    [LoggerMessage(1061, LogLevel.Error, "A request failed for a defect of the agent")]
    public static partial void RequestFailed(ILogger log, Exception cause);
}
