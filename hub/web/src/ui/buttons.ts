// The class of a plain button, for elements that can not be the component.
import styles from "./ui.module.css";

export const buttonClass = styles.button ?? "";
