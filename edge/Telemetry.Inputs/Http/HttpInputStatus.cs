using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Telemetry.Inputs.Http;

/// <summary>How often one status was answered; status 0: all that have no count of their own.</summary>
public readonly record struct StatusCount(int Status, long Count);

/// <summary>How the HTTP input stands; counts are of this run of the process.</summary>
public sealed record HttpInputStatus
{
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

    /// <summary>Prometheus' text, sums over the process' agents that have the input.</summary>
    public static void WritePrometheus(StringBuilder text, IReadOnlyList<HttpInputStatus> inputs)
    {
        if (inputs.Count == 0)
        {
            return;
        }

        Head("telemetry_agent_http_answers_total", "counter", "Requests by the status that they were answered with.");
        foreach (var (status, count) in inputs.SelectMany(i => i.Answers).GroupBy(a => a.Status, a => a.Count)
            .Select(g => (g.Key, g.Sum())).Where(g => g.Item2 > 0))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"telemetry_agent_http_answers_total{{status=\"{Word(status)}\"}} {count}\n");
        }

        Head("telemetry_agent_http_lines_total", "counter", "Lines of line protocol.");
        text.Append(
            CultureInfo.InvariantCulture,
            $"telemetry_agent_http_lines_total{{outcome=\"stored\"}} {inputs.Sum(i => i.LinesStored)}\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"telemetry_agent_http_lines_total{{outcome=\"refused\"}} {inputs.Sum(i => i.LinesRefused)}\n");
        One(
            "telemetry_agent_http_repeats_total", "counter", "Requests that repeated an earlier one.",
            inputs.Sum(i => i.Repeats));
        One("telemetry_agent_http_connections", "gauge", "Connections now.", inputs.Sum(i => (long)i.Connections));
        One(
            "telemetry_agent_http_connections_refused_total", "counter", "Connections over the limit.",
            inputs.Sum(i => i.ConnectionsRefused));
        One(
            "telemetry_agent_http_bodies_cut_total", "counter", "Bodies whose senders left in the middle.",
            inputs.Sum(i => i.BodiesCut));
        One(
            "telemetry_agent_http_series_cache_cleared_total", "counter", "Times that the cache of series was full.",
            inputs.Sum(i => i.SeriesCacheCleared));

        void Head(string name, string type, string help) =>
            text.Append($"# HELP {name} {help}\n# TYPE {name} {type}\n");

        void One(string name, string type, string help, long value)
        {
            Head(name, type, help);
            text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
        }
    }

    private static string Word(int status) => status == 0 ? "other" : status.ToString(CultureInfo.InvariantCulture);
}
