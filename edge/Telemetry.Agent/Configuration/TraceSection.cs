using System.Globalization;
using Telemetry.Diagnostics.Tracing;

namespace Telemetry.Agent.Configuration;

/// <summary>Reads section <c>traces</c> of an agent's configuration; docs/traces.md says what the keys mean.</summary>
internal static class TraceSection
{
    private static readonly TimeSpan SpanMin = TimeSpan.FromMilliseconds(100), SpanMax = TimeSpan.FromMinutes(1);

    public static TraceExportOptions Read(ConfigurationReader reader)
    {
        var or = new TraceExportOptions();
        return or with
        {
            Endpoint = Endpoint(reader),
            Protocol = Protocol(reader),
            Ratio = Ratio(reader, or.Ratio),
            WaitingSpansMax = reader.Number(
                "traces.waitingSpansMax", or.WaitingSpansMax, 1, TraceExportOptions.WaitingSpansMaxMax),
            SendEvery = Span(reader, "traces.sendEvery", or.SendEvery),
            SendTimeout = Span(reader, "traces.sendTimeout", or.SendTimeout),
            StopTimeout = Span(reader, "traces.stopTimeout", or.StopTimeout),
        };
    }

    private static Uri? Endpoint(ConfigurationReader reader)
    {
        var text = reader.Text("traces.endpoint", "");
        if (text.Length == 0)
        {
            return null;
        }

        if (!TraceExportOptions.TryEndpoint(text, out var endpoint))
        {
            // What it is instead may hold a password.
            reader.Problem("traces.endpoint", "is no address of a collector (http://host:4318)");
        }

        return endpoint;
    }

    private static TraceProtocol Protocol(ConfigurationReader reader)
    {
        var text = reader.Text("traces.protocol", TraceExportOptions.HttpWord);
        if (!TraceExportOptions.TryProtocol(text, out var protocol))
        {
            reader.Problem(
                "traces.protocol",
                $"'{text}' is neither {TraceExportOptions.HttpWord} nor {TraceExportOptions.GrpcWord}");
        }

        return protocol;
    }

    private static double Ratio(ConfigurationReader reader, double or)
    {
        var text = reader.Text("traces.ratio", or.ToString(CultureInfo.InvariantCulture));
        if (TraceExportOptions.TryRatio(text, out var ratio))
        {
            return ratio;
        }

        reader.Problem("traces.ratio", $"'{text}' is not within 0 to 1");
        return or;
    }

    private static TimeSpan Span(ConfigurationReader reader, string key, TimeSpan or)
    {
        var span = reader.Span(key, or);
        if (span < SpanMin || span > SpanMax)
        {
            reader.Problem(key, $"{span} is not within 100 ms to 1 min");
        }

        return span;
    }
}
