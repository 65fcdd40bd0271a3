using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;

namespace Telemetry.Cloud.Commands;

/// <summary>Log lines of a process on its standard output, as the settings ask for them.</summary>
internal static class ConsoleLogging
{
    public static ILoggerFactory Create(CloudSettings settings, LogLevel least) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(least).AddFilter("Microsoft", LogLevel.Warning);
        _ = settings.LogAsJson
            ? builder.AddJsonConsole(console => console.UseUtcTimestamp = true)
            : builder.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
    });
}
