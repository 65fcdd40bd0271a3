using Telemetry.Runtime.Settings;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>nats</c>.</summary>
internal static class NatsSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static NatsOptions Read(SettingsReader reader)
    {
        var options = new NatsOptions
        {
            Servers = reader.List("nats.servers", ["nats://127.0.0.1:4222"]),
            Name = reader.Text("nats.name", "telemetry"),
            User = reader.Text("nats.user"),
            Password = reader.Text("nats.password"),
            Token = reader.Text("nats.token"),
            RequestTimeout = reader.Span("nats.requestTimeout", 5 * Second, Second / 10, 60 * Second),
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            reader.Problem("nats", e.Message);
        }

        return options;
    }
}
