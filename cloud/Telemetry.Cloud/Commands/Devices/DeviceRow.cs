using System.Globalization;
using System.Text;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Devices;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>
/// One row of a file of devices, as its values are read: names of columns and texts. <c>label.KEY</c> is a label,
/// <c>limit.METRIC.low</c> and <c>limit.METRIC.high</c> are limits; an empty value is none.
/// </summary>
internal sealed class DeviceRow(int line, IReadOnlyDictionary<string, string> zones, List<DeviceProblem> problems)
{
    private const int LimitsMax = 256;
    private const string Label = "label.", Limit = "limit.", Low = ".low", High = ".high";

    private readonly Dictionary<string, string> _texts = [];
    private readonly Dictionary<string, string> _labels = [];
    private readonly Dictionary<string, MetricLimits> _limits = [];
    private readonly HashSet<string> _refused = [];

    /// <summary>What is wrong with the name of a column; null when there is such a column.</summary>
    public static string? ProblemOfColumn(string column) => column switch
    {
        "gateway" or "device" or "site" or "location" or "time_zone" => null,
        _ when column.StartsWith(Label, StringComparison.Ordinal) && column.Length > Label.Length => null,
        _ when column.StartsWith(Limit, StringComparison.Ordinal) && Metric(column).Length > 0 => null,
        _ => $"'{column}' is not allowed; use gateway, device, site, location, time_zone, label.KEY, "
            + "limit.METRIC.low or limit.METRIC.high",
    };

    /// <summary>Takes a value of a column that there is.</summary>
    public void Take(string column, string value)
    {
        if (value.Length == 0)
        {
            return;
        }

        if (Problem(column, value) is { } problem)
        {
            Refuse(column, problem);
        }
        else if (column.StartsWith(Label, StringComparison.Ordinal))
        {
            _labels[column[Label.Length..]] = value;
        }
        else if (column.StartsWith(Limit, StringComparison.Ordinal))
        {
            TakeLimit(column, value);
        }
        else
        {
            _texts[column] = value;
        }
    }

    /// <summary>Refuses the row for a value.</summary>
    public void Refuse(string column, string problem)
    {
        _refused.Add(column);
        problems.Add(new DeviceProblem(line, column, problem));
    }

    /// <summary>The device that the row describes; null when something is wrong with it.</summary>
    public DeviceMetadata? Finish()
    {
        foreach (var column in (string[])["gateway", "device"])
        {
            if (!_texts.ContainsKey(column) && !_refused.Contains(column))
            {
                Refuse(column, "is empty; every row names its gateway and device");
            }
        }

        foreach (var (metric, limits) in _limits)
        {
            if (limits.Low > limits.High)
            {
                Refuse(Limit + metric + Low, "is greater than the high limit");
            }
        }

        if (_labels.Count > SeriesDefinition.LabelsMax)
        {
            Refuse("", $"has {_labels.Count} labels; use at most {SeriesDefinition.LabelsMax}");
        }

        if (_limits.Count > LimitsMax)
        {
            Refuse("", $"has limits of {_limits.Count} metrics; use at most {LimitsMax}");
        }

        return _refused.Count > 0 ? null : new DeviceMetadata(_texts["gateway"], _texts["device"])
        {
            Site = _texts.GetValueOrDefault("site"),
            Location = _texts.GetValueOrDefault("location"),
            TimeZone = _texts.GetValueOrDefault("time_zone") is { } zone ? zones[zone] : null,
            Labels = _labels,
            Limits = _limits,
        };
    }

    private string? Problem(string column, string value) =>
        value.Contains('\uFFFD', StringComparison.Ordinal) ? "is not UTF-8 text"
        : value.Any(char.IsControl) ? "has a control character; remove it"
        : Encoding.UTF8.GetByteCount(value) > SeriesDefinition.TextBytesMax
            ? $"has more than {SeriesDefinition.TextBytesMax} bytes; shorten it"
        : column != "device" && (char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1]))
            ? "begins or ends with white space; remove it"
        : column == "gateway" && !GatewayId.TryParse(value, out _)
            ? $"'{value}' cannot be a gateway's id; use 1 to {GatewayId.LengthMax} characters of A-Z a-z 0-9 _ -"
        : column == "time_zone" && !zones.ContainsKey(value)
            ? $"'{value}' is not a time zone that the database knows; use a name such as Europe/Berlin"
        : null;

    private void TakeLimit(string column, string value)
    {
        if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || !double.IsFinite(number))
        {
            Refuse(column, $"'{value}' is not allowed; use a number such as -12.5");
            return;
        }

        var limits = _limits.GetValueOrDefault(Metric(column));
        _limits[Metric(column)] = column.EndsWith(Low, StringComparison.Ordinal)
            ? limits with { Low = number } : limits with { High = number };
    }

    // The metric of limit.METRIC.low or .high, which may have dots itself; empty for any other column.
    private static string Metric(string column)
    {
        var tail = column.EndsWith(Low, StringComparison.Ordinal) ? Low.Length
            : column.EndsWith(High, StringComparison.Ordinal) ? High.Length : column.Length;
        return column.Length > Limit.Length + tail ? column[Limit.Length..^tail] : "";
    }
}
