using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;

namespace Telemetry.Inputs.Http;

/// <summary>How often one status was answered; status 0: all that have no count of their own.</summary>
public readonly record struct StatusCount(int Status, long Count);

/// <summary>How the HTTP input stands; counts are of this run of the process.</summary>
public sealed record HttpInputStatus : IInputStatus
{
    public string Name => "http";

    /// <summary>Answers by status.</summary>
    public IReadOnlyList<StatusCount> Answers { get; init; } = [];

    /// <summary>Lines that are stored; those of repeats not counted again.</summary>
    public long LinesStored { get; init; }

    /// <summary>Lines that had an error.</summary>
    public long LinesRefused { get; init; }

    /// <summary>Requests that were repeats of one that had been stored, in part at least, or was under way.</summary>
    public long Repeats { get; init; }

    /// <summary>Connections now.</summary>
    public int Connections { get; init; }

    /// <summary>Connections refused because there were too many.</summary>
    public long ConnectionsRefused { get; init; }

    /// <summary>Bodies whose senders left in the middle.</summary>
    public long BodiesCut { get; init; }

    /// <summary>How often the cache of series was full and began anew.</summary>
    public long SeriesCacheCleared { get; init; }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("answers");
        foreach (var (status, count) in Answers)
        {
            if (count > 0)
            {
                json.WriteNumber(Word(status), count);
            }
        }

        json.WriteEndObject();
        json.WriteNumber("linesStored", LinesStored);
        json.WriteNumber("linesRefused", LinesRefused);
        json.WriteNumber("repeats", Repeats);
        json.WriteNumber("connections", Connections);
        json.WriteNumber("connectionsRefused", ConnectionsRefused);
        json.WriteNumber("bodiesCut", BodiesCut);
        json.WriteNumber("seriesCacheCleared", SeriesCacheCleared);
    }

    /// <summary>
    /// Makes the instruments: sums over the HTTP inputs among <paramref name="inputs"/>. Without one they show nothing.
    /// </summary>
    public static void Publish(Meter meter, Func<IEnumerable<IInputStatus>> inputs)
    {
        Counter("telemetry.agent.http.answers", "{request}", "Requests by the status that they were answered with.",
            all => all.SelectMany(i => i.Answers).GroupBy(a => a.Status, a => a.Count)
                .Select(status => (Count: status.Sum(), Word: Word(status.Key))).Where(status => status.Count > 0)
                .Select(status => Tagged(status.Count, "status", status.Word)));
        Counter("telemetry.agent.http.lines", "{line}", "Lines of line protocol.",
            all => [Tagged(all.Sum(i => i.LinesStored), "outcome", "stored"),
                Tagged(all.Sum(i => i.LinesRefused), "outcome", "refused")]);
        Counter("telemetry.agent.http.repeats", "{request}", "Requests that repeated an earlier one.",
            all => [new(all.Sum(i => i.Repeats))]);
        meter.CreateObservableGauge(
            "telemetry.agent.http.connections", Observe(all => [new(all.Sum(i => (long)i.Connections))]),
            description: "Connections now.");
        Counter("telemetry.agent.http.connections_refused", "{connection}", "Connections over the limit.",
            all => [new(all.Sum(i => i.ConnectionsRefused))]);
        Counter("telemetry.agent.http.bodies_cut", "{body}", "Bodies whose senders left in the middle.",
            all => [new(all.Sum(i => i.BodiesCut))]);
        Counter("telemetry.agent.http.series_cache_cleared", "{clearing}", "Times that the cache of series was full.",
            all => [new(all.Sum(i => i.SeriesCacheCleared))]);

        void Counter(
            string name, string unit, string description,
            Func<List<HttpInputStatus>, IEnumerable<Measurement<long>>> measure) =>
            meter.CreateObservableCounter(name, Observe(measure), unit, description);

        Func<IEnumerable<Measurement<long>>> Observe(
            Func<List<HttpInputStatus>, IEnumerable<Measurement<long>>> measure) =>
            () => inputs().OfType<HttpInputStatus>().ToList() is { Count: > 0 } all ? measure(all) : [];
    }

    private static Measurement<long> Tagged(long count, string tag, string value) =>
        new(count, new KeyValuePair<string, object?>(tag, value));

    private static string Word(int status) => status == 0 ? "other" : status.ToString(CultureInfo.InvariantCulture);
}
