using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Telemetry.Diagnostics.Metrics;

/// <summary>
/// Listens to the instruments of meters and writes their values as Prometheus text (exposition format 0.0.4). Names:
/// dots become underscores, the unit follows (By → bytes, s → seconds), counters end in _total. At most
/// <see cref="SeriesMax"/> sets of tags an instrument; beyond, a new set is counted as dropped. Any thread.
/// </summary>
public sealed class PrometheusText : IDisposable
{
    /// <summary>Sets of tags kept for one instrument.</summary>
    public const int SeriesMax = 256;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private long _dropped;

    /// <summary>
    /// Begins to listen. Of <paramref name="own"/> only this very meter is shown, so that several in one process do not
    /// mix; of <paramref name="others"/> every meter of that name, such as .NET's own.
    /// </summary>
    public PrometheusText(Meter own, params string[] others)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == own || others.Contains(instrument.Meter.Name))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The text as of now.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (var (name, family) in _families)
            {
                family.Write(text, name);
            }

            text.Append("# TYPE telemetry_metrics_series_dropped_total counter\n");
            text.Append(CultureInfo.InvariantCulture, $"telemetry_metrics_series_dropped_total {_dropped}\n");
        }

        return text.ToString();
    }

    /// <summary>Stops listening.</summary>
    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_gate)
        {
            var name = Name(instrument);
            if (!_families.TryGetValue(name, out var family))
            {
                _families.Add(name, family = new Family(instrument));
            }

            if (!family.Record(labels, value))
            {
                _dropped++;
            }
        }
    }

    private static string Name(Instrument instrument)
    {
        var name = new StringBuilder(instrument.Name.Replace('.', '_').Replace('-', '_'));
        var unit = instrument.Unit switch { "By" => "_bytes", "s" => "_seconds", "ms" => "_milliseconds", _ => "" };
        if (!instrument.Name.EndsWith(unit.Replace('_', '.'), StringComparison.Ordinal))
        {
            name.Append(unit);
        }

        return name.Append(Family.IsCounter(instrument) ? "_total" : "").ToString();
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder("{");
        foreach (var (key, value) in tags)
        {
            var escaped = (Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
                .Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length > 1 ? "," : "").Append(key.Replace('.', '_')).Append("=\"").Append(escaped)
                .Append('"');
        }

        return text.Append('}').ToString();
    }

    /// <summary>One instrument and its values by tags.</summary>
    private sealed class Family(Instrument instrument)
    {
        private readonly bool _adds = IsGeneric(instrument, typeof(Counter<>))
            || IsGeneric(instrument, typeof(UpDownCounter<>));
        private readonly bool _isHistogram = IsGeneric(instrument, typeof(Histogram<>));
        private readonly SortedDictionary<string, (double Sum, long Count)> _values = new(StringComparer.Ordinal);

        public static bool IsCounter(Instrument instrument) =>
            IsGeneric(instrument, typeof(Counter<>)) || IsGeneric(instrument, typeof(ObservableCounter<>));

        public bool Record(string labels, double value)
        {
            if (!_values.TryGetValue(labels, out var before) && _values.Count >= SeriesMax)
            {
                return false;
            }

            _values[labels] = _adds || _isHistogram ? (before.Sum + value, before.Count + 1) : (value, 1);
            return true;
        }

        public void Write(StringBuilder text, string name)
        {
            if (!string.IsNullOrEmpty(instrument.Description))
            {
                text.Append(
                    CultureInfo.InvariantCulture, $"# HELP {name} {instrument.Description.Replace('\n', ' ')}\n");
            }

            var type = _isHistogram ? "summary" : IsCounter(instrument) ? "counter" : "gauge";
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n");
            foreach (var (labels, (sum, count)) in _values)
            {
                if (_isHistogram)
                {
                    text.Append(
                        CultureInfo.InvariantCulture, $"{name}_count{labels} {count}\n{name}_sum{labels} {sum}\n");
                }
                else
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {sum}\n");
                }
            }
        }

        private static bool IsGeneric(Instrument instrument, Type type) =>
            instrument.GetType() is { IsGenericType: true } own && own.GetGenericTypeDefinition() == type;
    }
}
