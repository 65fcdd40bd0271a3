using System.Text.Json;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>
/// A device as a JSON object: the columns of a CSV file by name, <c>labels</c> as an object of texts, <c>limits</c> as
/// an object of <c>{"low": number, "high": number}</c> by metric.
/// </summary>
internal static class DeviceJson
{
    private const string Use = "use gateway, device, site, location, time_zone, labels or limits";

    /// <summary>Gives a row the values of an object.</summary>
    public static void Take(JsonElement json, DeviceRow row)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            row.Refuse("", "must be a JSON object");
            return;
        }

        var seen = new HashSet<string>();
        foreach (var property in json.EnumerateObject())
        {
            if (Text(() => property.Name) is not { } name || !seen.Add(name))
            {
                row.Refuse("", "has a name twice, or one that is not valid Unicode");
            }
            else if (name is "labels" or "limits" && property.Value.ValueKind == JsonValueKind.Object)
            {
                foreach (var entry in property.Value.EnumerateObject())
                {
                    TakeEntry(name, entry, row);
                }
            }
            else if (name is "labels" or "limits")
            {
                row.Refuse(name, "must be a JSON object");
            }
            else if (name.Contains('.', StringComparison.Ordinal) || DeviceRow.ProblemOfColumn(name) is not null)
            {
                row.Refuse(name, $"'{name}' is not allowed; {Use}");
            }
            else
            {
                TakeText(name, property.Value, row);
            }
        }
    }

    private static void TakeEntry(string name, JsonProperty entry, DeviceRow row)
    {
        if (Text(() => entry.Name) is not { Length: > 0 } key)
        {
            row.Refuse(name, "has an empty name, or one that is not valid Unicode");
        }
        else if (name == "labels")
        {
            TakeText($"label.{key}", entry.Value, row);
        }
        else if (entry.Value.ValueKind != JsonValueKind.Object)
        {
            row.Refuse($"limit.{key}", "must be an object: {\"low\": number, \"high\": number}");
        }
        else
        {
            foreach (var limit in entry.Value.EnumerateObject())
            {
                if (limit.NameEquals("low") || limit.NameEquals("high"))
                {
                    TakeNumber($"limit.{key}.{limit.Name}", limit.Value, row);
                }
                else
                {
                    row.Refuse($"limit.{key}", "has another name than low and high");
                }
            }
        }
    }

    private static void TakeText(string column, JsonElement value, DeviceRow row)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.String || Text(() => value.GetString()) is not { } text)
        {
            row.Refuse(column, "must be text in valid Unicode");
        }
        else
        {
            row.Take(column, text);
        }
    }

    private static void TakeNumber(string column, JsonElement value, DeviceRow row)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            row.Take(column, value.GetRawText());
        }
        else if (value.ValueKind != JsonValueKind.Null)
        {
            row.Refuse(column, "must be a number");
        }
    }

    // JSON can escape half of a character, of which no text can be made.
    private static string? Text(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
