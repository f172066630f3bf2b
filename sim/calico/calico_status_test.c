/* The look of `calicoctl node status`. */
#include "calico_status.h"

#include "calico_test.h"
#include "calico_version.h"

static void test_table(void **state) {
    const struct calico_status_row rows[] = {
        {"Global_192_0_2_1", "start", "2026-08-22", "Active        Socket: Connection refused"},
        {"Local_Workload_10_0_0_9", "up", "12:00:00", "Established   "},
        {"Mesh_10_0_1_11", "up", "12:34:56", "Established   "},
        {"Node_10_0_0_3_port_500", "up", "12:34:57", "Established   "},
        {"Node_10_0_0_4", "down", "12:34:57", ""},
    };
    const struct calico_status_row rows6[] = {{"Mesh_fd00__2", "up", "12:34:56", "Established"}};
    struct text t;
    (void)state;
    text_init(&t);
    calico_status_print(rows, 5, rows6, 1, CALICO_VERSION(3, 32, 1), &t);
    assert_string_equal(
        text_str(&t),
        "Calico process is running.\n\n"
        "IPv4 BGP status\n"
        "+-------------------+-------------------+-------+------------+---------------------------+"
        "\n"
        "|   PEER ADDRESS    |     PEER TYPE     | STATE |   SINCE    |           INFO            |"
        "\n"
        "+-------------------+-------------------+-------+------------+---------------------------+"
        "\n"
        "| 192.0.2.1         | global            | start | 2026-08-22 | Active Socket: Connection |"
        "\n"
        "|                   |                   |       |            | refused                   |"
        "\n"
        "| 10.0.1.11         | node-to-node mesh | up    | 12:34:56   | Established               |"
        "\n"
        "| 10.0.0.3.port.500 | node specific     | up    | 12:34:57   | Established               |"
        "\n"
        "+-------------------+-------------------+-------+------------+---------------------------+"
        "\n\n"
        "IPv6 BGP status\n"
        "+--------------+-------------------+-------+----------+-------------+\n"
        "| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |\n"
        "+--------------+-------------------+-------+----------+-------------+\n"
        "| fd00::2      | node-to-node mesh | up    | 12:34:56 | Established |\n"
        "+--------------+-------------------+-------+----------+-------------+\n\n");
    text_deinit(&t);
}

static void test_nothing(void **state) {
    struct text t;
    (void)state;
    text_init(&t);
    calico_status_print(NULL, 0, NULL, 0, 0, &t);
    assert_string_equal(text_str(&t), "Calico process is running.\n\n"
                                      "IPv4 BGP status\nNo IPv4 peers found.\n\n"
                                      "IPv6 BGP status\nNo IPv6 peers found.\n\n");
    text_deinit(&t);
}

/* Later versions: nothing is centred, nothing wrapped. */
static void test_table_of_today(void **state) {
    const struct calico_status_row rows[] = {
        {"Global_192_0_2_1", "start", "2026-08-22", "Active        Socket: Connection refused"},
        {"Mesh_10_0_1_11", "up", "12:34:56", "Established   "},
    };
    struct text t;
    (void)state;
    text_init(&t);
    calico_status_print(rows, 2, NULL, 0, 0, &t);
    assert_non_null(strstr(text_str(&t), "| PEER ADDRESS | PEER TYPE         | STATE | SINCE      "
                                         "| INFO                              "
                                         "|\n"));
    assert_non_null(strstr(text_str(&t), "| 192.0.2.1    | global            | start | 2026-08-22 "
                                         "| Active Socket: Connection refused "
                                         "|\n"));
    text_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_table_of_today),
                                       cmocka_unit_test(test_nothing)};
    return cmocka_run_group_tests_name("calico_status", tests, NULL, NULL);
}
