using System.Collections;
using Telemetry.Runtime.Settings;

namespace Telemetry.Tests.Runtime.Settings;

public sealed class SettingsTreeTests : IDisposable
{
    private static readonly Hashtable NoEnvironment = [];

    private readonly string _folder = Directory.CreateTempSubdirectory("telemetry-").FullName;

    private string SettingsPath => Path.Combine(_folder, "settings.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void File_may_have_comments_trailing_commas_arrays_and_dotted_keys()
    {
        var tree = Load(
            """
            // A comment.
            { "a": { "b": 1, "c": [ "x", "y", ] }, "a.d": true, /* another */ "e": null, }
            """);

        Assert.Empty(tree.Problems);
        Assert.Equal(
            ("1", "x", "y", "true", ""),
            (tree.Find("a.b"), tree.Find("A.C.0"), tree.Find("a.c.1"), tree.Find("a.d"), tree.Find("e")));
    }

    [Fact]
    public void Mark_of_UTF8_at_the_beginning_of_the_file_is_skipped() =>
        Assert.Equal("1", Load("\uFEFF{ \"a\": 1 }").Find("a"));

    [Fact]
    public void Keys_below_a_key_are_ordered_by_number_and_not_as_texts()
    {
        var tree = Load("""{ "a": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "ab": 1 }""");

        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], tree.Below("a"));
    }

    [Fact]
    public void Environment_sets_keys_over_the_file_and_other_variables_do_not_count()
    {
        File.WriteAllText(SettingsPath, """{ "http": { "port": 1, "address": "::1" } }""");

        var tree = SettingsTree.Load(SettingsPath, "P__", new Hashtable
        {
            ["P__HTTP__PORT"] = "2",
            ["P_HTTP__PORT"] = "3",
            ["HOME"] = "/",
        });

        Assert.Equal(("2", "::1"), (tree.Find("http.port"), tree.Find("http.address")));
        Assert.Equal(2, tree.Keys.Count);
    }

    [Theory]
    [InlineData("""{ "a": 1, "b": 2, "A": 3, "b": 4 }""")]
    [InlineData("""{ "a": 1, "b": 2, "a": { "x": 1 }, "A": 3, "b": 4 }""")]
    public void Every_key_that_is_set_twice_is_named(string json) => Assert.Equal(
        [$"A: is set twice in {SettingsPath}", $"b: is set twice in {SettingsPath}"], Load(json).Problems);

    [Fact]
    public void Key_that_is_set_nested_and_dotted_is_set_twice() => Assert.Equal(
        [$"a.b: is set twice in {SettingsPath}"], Load("""{ "a": { "b": 1 }, "a.b": 2 }""").Problems);

    [Fact]
    public void Wrong_JSON_is_told_by_file_line_position_and_reason() => Assert.StartsWith(
        $"{SettingsPath}: line 2, position 10: ':' is invalid", Load("{\n  \"a\": 1 : }").Problems.Single(),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("", ": line 1, position 1: ")]
    [InlineData("[1]", ": is not a JSON object")]
    [InlineData("""{ "a": "\ud800" }""", ": has a text that is not valid UTF-8")]
    public void File_without_a_JSON_object_of_texts_is_not_read(string json, string problem)
    {
        var tree = Load(json);

        Assert.False(tree.IsRead);
        Assert.StartsWith(SettingsPath + problem, Assert.Single(tree.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void File_over_the_limit_is_not_read()
    {
        var tree = Load("{}" + new string(' ', SettingsTree.FileBytesMax));

        Assert.False(tree.IsRead);
        Assert.Equal($"{SettingsPath}: is larger than 1048576 bytes", Assert.Single(tree.Problems));
        Assert.True(Load("{}" + new string(' ', SettingsTree.FileBytesMax - 2)).IsRead);
    }

    [Fact]
    public void File_that_does_not_exist_is_a_problem_and_not_an_exception()
    {
        var tree = SettingsTree.Load(SettingsPath, "P__", NoEnvironment);

        Assert.False(tree.IsRead);
        Assert.StartsWith($"{SettingsPath}: there is no such file", tree.Problems.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_in_place_of_the_file_is_a_problem_and_not_an_exception() => Assert.StartsWith(
        _folder, SettingsTree.Load(_folder, "P__", NoEnvironment).Problems.Single(), StringComparison.Ordinal);

    private SettingsTree Load(string json)
    {
        File.WriteAllText(SettingsPath, json);
        return SettingsTree.Load(SettingsPath, "P__", NoEnvironment);
    }
}
